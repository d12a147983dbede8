import type { VariableSource } from "./panel-source.ts";

/** What variables and dashboards find the agents by. */
const AGENTS = "tcpretrans_build_info";
const PODS = "tcp_retransmits_total";

const cluster: VariableSource = {
  name: "cluster",
  label: "Cluster",
  query: `label_values(${AGENTS}, k8s_cluster_name)`,
};
const node: VariableSource = {
  name: "node",
  label: "Node",
  query: `label_values(${AGENTS}{k8s_cluster_name=~"$cluster"}, k8s_node_name)`,
};
const namespace: VariableSource = {
  name: "namespace",
  label: "Namespace",
  query: `label_values(${PODS}{k8s_cluster_name=~"$cluster"}, source_k8s_namespace_name)`,
};
const workload: VariableSource = {
  name: "workload",
  label: "Workload",
  query: `label_values(${PODS}{k8s_cluster_name=~"$cluster",source_k8s_namespace_name=~"$namespace"}, source_k8s_workload_name)`,
};

/** Of dashboards about pods. */
export const POD_VARIABLES = [cluster, namespace, workload, node] as const;
/** Of dashboards about nodes; the others go along on links. */
export const NODE_VARIABLES = [cluster, node, namespace, workload] as const;

/** Chooses series of nodes. */
export const OF_NODES = `k8s_cluster_name=~"$cluster",k8s_node_name=~"$node"`;
/** Chooses series of pods, and of what is no pod where all namespaces and workloads are chosen. */
export const OF_PODS = `${OF_NODES},source_k8s_namespace_name=~"$namespace",source_k8s_workload_name=~"$workload"`;

/** Labels of a workload. */
export const WORKLOAD = "source_k8s_namespace_name, source_k8s_workload_name";
/** Labels of a pod. */
export const POD = `${WORKLOAD}, source_k8s_pod_name`;

/** Sums by kind and name of the peer, without the kind where it would say the name again. */
export function peers(series: string): string {
  const sums = `sum by (destination_kind, destination_name) (${series})`;
  return `label_replace(${sums}, "destination_kind", "", "destination_kind", "external|unknown")`;
}
