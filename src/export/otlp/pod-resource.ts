import type { PodRecord } from "../../event/cluster.ts";
import { RESOURCE_ATTRIBUTES as R } from "../attributes.ts";

/** What a pod's resource has that the pod itself does not say. */
export interface PodResourceOptions {
  readonly clusterName: string | undefined;
  /** Of the configuration, for all that is exported; those of a service are not for pods, and what a pod says goes first. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** `k8s.<kind>.name` of the kinds that the semantic conventions have. */
const WORKLOAD_NAMES: Readonly<Record<string, string>> = {
  Deployment: R.deploymentName,
  ReplicaSet: R.replicaSetName,
  StatefulSet: R.statefulSetName,
  DaemonSet: R.daemonSetName,
  Job: R.jobName,
  CronJob: R.cronJobName,
};

/**
 * A pod's resource attributes. Its service is named by OpenTelemetry's rules for Kubernetes (semantic-conventions,
 * docs/non-normative/k8s-attributes.md): annotation, then label, then what the pod is part of.
 */
export function podResource(pod: PodRecord, options: PodResourceOptions): Readonly<Record<string, string>> {
  const { namespace, name, uid, nodeName, workload, naming } = pod;
  const { labels = {}, annotations = {} } = naming ?? {};
  const container = onlyContainer(pod);
  const workloadKey = WORKLOAD_NAMES[workload.kind];
  const parts: Readonly<Record<string, string | undefined>> = {
    ...generalOf(options.attributes),
    [R.serviceName]: labels["instance"] ?? labels["name"] ?? workload.name,
    [R.serviceNamespace]: namespace,
    [R.serviceVersion]: labels["version"],
    // The rule wants a container: without one the pod is still an instance, and two of them are two.
    [R.serviceInstanceId]: [namespace, name, ...(container === undefined ? [] : [container])].join("."),
    [R.clusterName]: options.clusterName ?? options.attributes[R.clusterName],
    ...annotations,
    [R.namespaceName]: namespace,
    [R.podName]: name,
    [R.podUid]: uid,
    [R.containerName]: container,
    [R.nodeName]: nodeName,
    ...(workloadKey === undefined ? {} : { [workloadKey]: workload.name }),
  };
  return Object.fromEntries(
    Object.entries(parts).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}

function generalOf(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(attributes).filter(([key]) => !key.startsWith("service.") && key !== R.hostName),
  );
}

/** Where a pod has several, which one it was is not said here. */
function onlyContainer({ containers }: PodRecord): string | undefined {
  const names = new Set(containers?.values());
  const [first] = names;
  return names.size === 1 ? first : undefined;
}
