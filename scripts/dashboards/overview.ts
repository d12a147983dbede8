import { DOCUMENTS_URL, ROW_TO_WORKLOAD, runbook, TO_NODE, TO_WORKLOAD, UIDS } from "./links.ts";
import type { DashboardSource, PanelSource, RowSource } from "./panel-source.ts";
import { OF_NODES, OF_PODS, POD, POD_VARIABLES, peers, WORKLOAD } from "./variables.ts";

const SEGMENTS = `tcp_retransmit_segments_total{${OF_PODS}}`;

const NOW: readonly PanelSource[] = [
  stat("Retransmitted segments", {
    description: "Segments that went out a second time, each second, over all that is chosen.",
    unit: "suffix: seg/s",
    expr: `sum(rate(${SEGMENTS}[$__rate_interval]))`,
  }),
  {
    ...stat("Share of all segments", {
      description:
        "Retransmitted / (sent + retransmitted), by the kernel's own counters of the pods' network namespaces. 0.1 % is ordinary, from 1 % on people notice. Pods on the node's network are not in it.",
      unit: "percentunit",
      expr: `sum(rate(tcp_segments_retransmitted_total{${OF_PODS}}[$__rate_interval])) / (sum(rate(tcp_segments_sent_total{${OF_PODS}}[$__rate_interval])) + sum(rate(tcp_segments_retransmitted_total{${OF_PODS}}[$__rate_interval])))`,
    }),
    thresholds: { warning: 0.005, bad: 0.01 },
    links: [runbook("TcpRetransmitRatioHigh")],
  },
  {
    ...stat("Worst pod", {
      description: "The largest ratio among pods that send at least one segment a second, over 5 minutes.",
      unit: "percentunit",
      expr: `max(pod:tcp_retransmit:ratio_rate5m{${OF_PODS}})`,
    }),
    thresholds: { warning: 0.01, bad: 0.03 },
    links: [runbook("TcpRetransmitRatioHigh")],
  },
  {
    ...stat("Connections standing still", {
      description:
        "How many connections stand still at any moment, on average: seconds of stall in each second. What users feel.",
      unit: "short",
      expr: `sum(rate(tcp_stall_duration_seconds_sum{${OF_PODS}}[$__rate_interval]))`,
    }),
    thresholds: { warning: 1, bad: 5 },
    emptyByNature: "no connection has stood still",
    links: [runbook("TcpTimeoutsHigh")],
  },
  {
    ...stat("SYNs sent again", {
      description:
        "Connection attempts repeated, each second: clients that wait for a second and more to connect.",
      unit: "suffix: SYN/s",
      expr: `sum(rate(tcp_retransmit_segments_total{${OF_PODS},network_tcp_retransmit_type="syn"}[$__rate_interval]))`,
    }),
    thresholds: { warning: 0.1, bad: 1 },
    emptyByNature: "no connection attempt has been repeated yet",
    links: [runbook("TcpSynRetransmits")],
  },
  {
    ...stat("Coverage", {
      description:
        "Seen of what the kernel counted, over 10 minutes: the least of the nodes on the rungs kprobe and eprobe, which are exact; where there is none, of all nodes together, an estimate. Below 99.9 % the numbers here are too low. A hair above 100 %: an event during a reading of the counters is seen with it and counted by the next.",
      unit: "percentunit",
      expr: `min(node:tcpretrans_coverage:ratio_increase10m{${OF_NODES},probe_rung=~"kprobe|eprobe"}) or min(cluster:tcpretrans_coverage:ratio_increase10m{k8s_cluster_name=~"$cluster"})`,
    }),
    decimals: 2,
    thresholds: { warning: 0.999, bad: 0.99, descending: true },
    links: [runbook("TcpretransCoverageLow")],
  },
];

const WHO_TO_WHOM_WHY: readonly PanelSource[] = [
  {
    kind: "table",
    title: "Who retransmits to whom, and why: the worst 15",
    description:
      "Segments in the range shown, by workload, peer and cause. The peer is one name: a workload (namespace/name), a service whose backend is not known, a node, a named range, or external.",
    unit: "short",
    decimals: 0,
    width: 14,
    height: 13,
    queries: [
      {
        expr: `topk(15, sum by (${WORKLOAD}, source_kind, destination_kind, destination_name, network_tcp_retransmit_type) (increase(${SEGMENTS}[$__range])) > 0)`,
        legend: "Segments",
      },
    ],
    columns: [
      { label: "source_kind", title: "From" },
      { label: "source_k8s_namespace_name", title: "Namespace" },
      { label: "source_k8s_workload_name", title: "Workload" },
      { label: "destination_kind", title: "To" },
      { label: "destination_name", title: "Peer" },
      { label: "network_tcp_retransmit_type", title: "Why" },
    ],
    links: [ROW_TO_WORKLOAD],
  },
  {
    kind: "series",
    title: "Why: segments by cause",
    description:
      "timeout: the connection stood still until its timer ran out. fast: duplicate ACKs told of the loss. tail_loss_probe: the last segment again. syn, syn_ack: the handshake. slow_start: the rest of a window after a timeout.",
    unit: "suffix: seg/s",
    width: 10,
    height: 13,
    stacked: true,
    queries: [
      {
        expr: `sum by (network_tcp_retransmit_type) (rate(${SEGMENTS}[$__rate_interval])) > 0`,
        legend: "{{network_tcp_retransmit_type}}",
      },
    ],
  },
  {
    kind: "bars",
    title: "Who: pods by share of segments sent again",
    description:
      "The eight worst pods that send at least one segment a second, over the last 5 minutes: retransmitted / (sent + retransmitted).",
    unit: "percentunit",
    width: 8,
    height: 8,
    thresholds: { warning: 0.005, bad: 0.01 },
    queries: [
      {
        expr: `topk(8, max by (${POD}) (pod:tcp_retransmit:ratio_rate5m{${OF_PODS}}))`,
        legend: "{{source_k8s_namespace_name}}/{{source_k8s_pod_name}}",
      },
    ],
    links: [TO_WORKLOAD],
  },
  {
    kind: "bars",
    title: "To whom: connection attempts repeated, by peer",
    description:
      "The eight peers that most connection attempts had to be repeated to, in the range shown. A peer far ahead of the rest does not answer.",
    unit: "short",
    decimals: 0,
    width: 8,
    height: 8,
    queries: [
      {
        expr: `topk(8, ${peers(`increase(tcp_retransmit_segments_total{${OF_PODS},network_tcp_retransmit_type="syn"}[$__range])`)} > 0)`,
        legend: "{{destination_kind}} {{destination_name}}",
      },
    ],
    emptyByNature: "no connection attempt has been repeated",
    links: [runbook("TcpSynRetransmits")],
  },
  {
    kind: "bars",
    title: "Where: nodes by share of the bad paths",
    description:
      "Of the node pairs that retransmit too much, how many contain each node. From 5 pairs and 60 % on it is an alert.",
    unit: "percentunit",
    width: 8,
    height: 8,
    thresholds: { warning: 0.4, bad: 0.6 },
    queries: [
      {
        expr: `sort_desc(count by (node) (node_pair:tcp_retransmit_segments:bad10m{k8s_cluster_name=~"$cluster"}) / on () group_left () (count(node_pair:tcp_retransmit_segments:bad10m{k8s_cluster_name=~"$cluster"}) / 2))`,
        legend: "{{node}}",
      },
    ],
    emptyByNature: "no path is bad",
    links: [runbook("TcpRetransmitNodeOutlier")],
  },
];

const WHERE: readonly PanelSource[] = [
  {
    kind: "matrix",
    title: "Node × node: segments in the range shown",
    description:
      "Rows send, columns are the peers. One row or column that stands out is a node; one cell is a path. Counts and no ratios: nobody counts what is sent to each peer. Pod traffic to no known node is left out.",
    unit: "short",
    decimals: 0,
    width: 14,
    height: 8,
    row: { label: "source_k8s_node_name", title: "From" },
    column: { label: "destination_k8s_node_name", title: "To" },
    queries: [
      {
        expr: `sum by (source_k8s_node_name, destination_k8s_node_name) (increase(tcp_retransmit_node_pairs_total{${OF_NODES},destination_k8s_node_name!=""}[$__range]))`,
        legend: "Segments",
      },
    ],
    links: [runbook("TcpRetransmitNodeOutlier")],
  },
  {
    kind: "matrix",
    title: "Zone × zone: segments in the range shown",
    description: "The same by availability zone. Peers in no known zone are left out.",
    unit: "short",
    decimals: 0,
    width: 10,
    height: 8,
    row: { label: "source_cloud_availability_zone", title: "From" },
    column: { label: "destination_cloud_availability_zone", title: "To" },
    queries: [
      {
        expr: `sum by (source_cloud_availability_zone, destination_cloud_availability_zone) (increase(tcp_retransmit_zone_pairs_total{${OF_NODES},source_cloud_availability_zone!="",destination_cloud_availability_zone!=""}[$__range]))`,
        legend: "Segments",
      },
    ],
    emptyByNature: "nodes without a topology.kubernetes.io/zone label are in no zone",
  },
  {
    kind: "series",
    title: "Share of segments sent again, by workload",
    description:
      "Retransmitted / (sent + retransmitted) of the ten worst workloads that send at least one segment a second. The alert is at 1 %.",
    unit: "percentunit",
    width: 12,
    height: 9,
    thresholds: { warning: 0.005, bad: 0.01 },
    queries: [
      {
        expr: `topk(10, max by (${WORKLOAD}) (workload:tcp_retransmit:ratio_rate10m{k8s_cluster_name=~"$cluster",source_k8s_namespace_name=~"$namespace",source_k8s_workload_name=~"$workload"}))`,
        legend: "{{source_k8s_namespace_name}}/{{source_k8s_workload_name}}",
      },
    ],
    links: [TO_WORKLOAD],
  },
  {
    kind: "series",
    title: "Nodes: share of what their pods send",
    description:
      "Retransmitted / (sent + retransmitted) over the pods of each node. A node that stands above the rest is the first suspect.",
    unit: "percentunit",
    width: 12,
    height: 9,
    queries: [{ expr: `node:tcp_retransmit:ratio_rate10m{${OF_NODES}}`, legend: "{{k8s_node_name}}" }],
    links: [TO_NODE],
  },
];

const ROWS: readonly RowSource[] = [
  { title: "Now", panels: NOW },
  { title: "Who, to whom, why", panels: WHO_TO_WHOM_WHY },
  { title: "Where and since when", panels: WHERE },
];

/** The first page: is something wrong, who has it, to whom, and why. */
export const OVERVIEW: DashboardSource = {
  uid: UIDS.overview,
  title: "tcpretrans / Cluster",
  description: "Who retransmits TCP segments, to whom, and why.",
  variables: POD_VARIABLES,
  rows: ROWS,
  documents: [{ title: "What is on it", url: `${DOCUMENTS_URL}/dashboards.md` }],
};

function stat(
  title: string,
  { expr, ...rest }: { readonly description: string; readonly unit: string; readonly expr: string },
): PanelSource {
  return { kind: "stat", title, width: 4, height: 4, queries: [{ expr, legend: title }], ...rest };
}
