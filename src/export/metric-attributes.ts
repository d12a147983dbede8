import type { PodRecord } from "../event/cluster.ts";
import type { EndName } from "../event/end-name.ts";
import { ATTRIBUTES as A } from "./attributes.ts";
import type { MetricAttributes } from "./metric-family.ts";

/** How finely metrics tell the ends apart: the source's workload, its pod, or its pod and the peer's. */
export const METRIC_DETAILS = ["workload", "pod", "peer-pod"] as const;
export type MetricDetail = (typeof METRIC_DETAILS)[number];

/** Where the agent is. */
export interface Place {
  readonly node: string;
  /** The cluster's name, where the configuration tells one. */
  readonly cluster: string | undefined;
}

/** What every point says of the agent's place. */
export function placeAttributes({ node, cluster }: Place): MetricAttributes {
  return { [A.nodeName]: node, ...(cluster === undefined ? {} : { [A.clusterName]: cluster }) };
}

/** The local end: of a pod its namespace, workload and, unless the detail is `workload`, its name; else its kind alone. */
export function sourceAttributes(end: EndName | undefined, detail: MetricDetail): MetricAttributes {
  if (end?.pod !== undefined) return podAttributes(end.pod, detail);
  return { [A.sourceKind]: end?.kind ?? "unknown" };
}

/** A pod as the local end. */
export function podAttributes(
  { namespace, name, workload }: PodRecord,
  detail: MetricDetail,
): MetricAttributes {
  return {
    [A.sourceKind]: "pod",
    [A.sourceNamespace]: namespace,
    [A.sourceWorkloadKind]: workload.kind,
    [A.sourceWorkloadName]: workload.name,
    ...(detail === "workload" ? {} : { [A.sourcePod]: name }),
  };
}

/** The peer by one name and its kind: of a pod its workload, unless the detail is `peer-pod`. */
export function destinationAttributes(end: EndName | undefined, detail: MetricDetail): MetricAttributes {
  if (end === undefined) return { [A.destinationKind]: "unknown", [A.destinationName]: "unknown" };
  const { kind, name, pod, service } = end;
  const namespace = (pod ?? service)?.namespace;
  const ofWorkload = pod !== undefined && detail !== "peer-pod";
  return {
    [A.destinationKind]: ofWorkload ? "workload" : kind,
    [A.destinationName]: ofWorkload ? `${pod.namespace}/${pod.workload.name}` : name,
    ...(namespace === undefined ? {} : { [A.destinationNamespace]: namespace }),
  };
}
