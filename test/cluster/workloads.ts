import { isIPv6 } from "node:net";
import type { Cluster } from "../lab/cluster/cluster.ts";
import { TRAFFIC_IMAGE } from "../lab/cluster/images.ts";
import type { KubeObject } from "../lab/cluster/kube-api.ts";
import { type DualStack, hostPort, NODE_A, type NodePlan, PORTS } from "../lab/cluster/plan.ts";
import { until } from "../lab/cluster/until.ts";

export const PODS = "/api/v1/namespaces/default/pods";
export const SERVICES = "/api/v1/namespaces/default/services";

/** Where datagrams of the pods' program go. */
export const REPORT = hostPort(NODE_A.address.v4, PORTS.report);

/** What a pod of the tests runs. */
export interface PodPlan {
  readonly node: NodePlan;
  readonly hostNetwork?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of the pods' program. */
  readonly args: readonly string[];
}

/** The part of a pod that templates have too. */
export function podTemplate({ node, hostNetwork = false, labels = {}, args }: PodPlan) {
  const name = { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };
  return {
    metadata: { labels },
    spec: {
      // Not nodeName: the scheduler is part of the cluster.
      nodeSelector: { "kubernetes.io/hostname": node.name },
      hostNetwork,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: "traffic",
          image: TRAFFIC_IMAGE,
          imagePullPolicy: "Never",
          args: [`-report=${REPORT}`, ...args],
          env: [name],
        },
      ],
    },
  };
}

export async function createPod({ api }: Cluster, name: string, plan: PodPlan): Promise<void> {
  const template = podTemplate(plan);
  await api.create(PODS, { ...template, metadata: { ...template.metadata, name } });
}

/** Waits until a pod is ready and has its addresses. */
export function runningPod({ api }: Cluster, name: string): Promise<KubeObject> {
  const isRunning = async () => {
    const pod = await api.get(`${PODS}/${name}`);
    const conditions: { type: string; status: string }[] = pod.status.conditions ?? [];
    const isReady = conditions.some(({ type, status }) => type === "Ready" && status === "True");
    return isReady && pod.status.podIPs?.length === 2 && pod;
  };
  return until(`pod ${name} to run`, isRunning, { timeoutMs: 300_000, everyMs: 300 });
}

/** A pod's addresses of both families. */
export function podAddresses({ status }: KubeObject): DualStack {
  const addresses: readonly string[] = status.podIPs.map(({ ip }: { ip: string }) => ip);
  return {
    v4: addresses.find((address) => !isIPv6(address)) ?? "",
    v6: addresses.find((address) => isIPv6(address)) ?? "",
  };
}

/** A service of both families; gives its addresses. */
export async function createService(
  { api }: Cluster,
  name: string,
  plan: {
    readonly app: string;
    readonly ports: readonly { readonly port: number; readonly nodePort?: number }[];
    readonly localPolicy?: boolean;
  },
): Promise<DualStack> {
  const isNodePort = plan.ports.some(({ nodePort }) => nodePort !== undefined);
  const policy = plan.localPolicy ? { externalTrafficPolicy: "Local" } : {};
  const { spec } = await api.create(SERVICES, {
    metadata: { name },
    spec: {
      type: isNodePort ? "NodePort" : "ClusterIP",
      ...policy,
      ipFamilyPolicy: "RequireDualStack",
      selector: { app: plan.app },
      ports: plan.ports.map((port) => ({ name: `p${port.port}`, ...port })),
    },
  });
  const addresses: readonly string[] = spec.clusterIPs;
  return {
    v4: addresses.find((address) => !isIPv6(address)) ?? "",
    v6: addresses.find((address) => isIPv6(address)) ?? "",
  };
}
