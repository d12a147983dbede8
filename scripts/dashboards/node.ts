import { DOCUMENTS_URL, ROW_TO_WORKLOAD, runbook, TO_NODE, UIDS } from "./links.ts";
import type { DashboardSource, PanelSource, RowSource } from "./panel-source.ts";
import { NODE_VARIABLES, OF_NODES, OF_PODS, WORKLOAD } from "./variables.ts";

const PAIRS = "tcp_retransmit_node_pairs_total";

const IS_IT_THE_NODE: readonly PanelSource[] = [
  {
    kind: "series",
    title: "Share of what the node's pods send",
    description:
      "Retransmitted / (sent + retransmitted) over all pods of the node with a network of their own. Compare with the other nodes: choose them all.",
    unit: "percentunit",
    width: 8,
    height: 8,
    thresholds: { warning: 0.005, bad: 0.01 },
    queries: [{ expr: `node:tcp_retransmit:ratio_rate10m{${OF_NODES}}`, legend: "{{k8s_node_name}}" }],
    links: [runbook("TcpRetransmitNodeOutlier")],
  },
  {
    kind: "series",
    title: "Sent again by this node, by peer node",
    description:
      "Segments from the chosen nodes to each other node. All peers alike: the node itself. One peer: that node, or the path to it.",
    unit: "suffix: seg/s",
    width: 8,
    height: 8,
    stacked: true,
    queries: [
      {
        expr: `topk(12, sum by (destination_k8s_node_name) (rate(${PAIRS}{${OF_NODES},destination_k8s_node_name!=""}[$__rate_interval])))`,
        legend: "to {{destination_k8s_node_name}}",
      },
    ],
  },
  {
    kind: "series",
    title: "Sent again to this node, by sender",
    description:
      "Segments that other nodes had to send again to the chosen ones. With the picture beside it: is it both ways, or one?",
    unit: "suffix: seg/s",
    width: 8,
    height: 8,
    stacked: true,
    queries: [
      {
        expr: `topk(12, sum by (source_k8s_node_name) (rate(${PAIRS}{k8s_cluster_name=~"$cluster",destination_k8s_node_name=~"$node",destination_k8s_node_name!=""}[$__rate_interval])))`,
        legend: "from {{source_k8s_node_name}}",
      },
    ],
    emptyByNature: "no node has sent anything again to a node of that name",
  },
];

const WHO_AND_WHY: readonly PanelSource[] = [
  {
    kind: "table",
    title: "Who on this node, to whom, and why: the worst 15",
    description:
      "Segments in the range shown. Rows without a workload are processes of the node itself, or pods of which the rung could not tell.",
    unit: "short",
    decimals: 0,
    width: 14,
    height: 11,
    queries: [
      {
        expr: `topk(15, sum by (${WORKLOAD}, source_kind, destination_kind, destination_name, network_tcp_retransmit_type) (increase(tcp_retransmit_segments_total{${OF_PODS}}[$__range])) > 0)`,
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
      "A node with a bad card or cable loses under load: fast. One whose path is dead: timeout and syn. mtu: a path whose MTU shrank.",
    unit: "suffix: seg/s",
    width: 10,
    height: 11,
    stacked: true,
    queries: [
      {
        expr: `sum by (network_tcp_retransmit_type) (rate(tcp_retransmit_segments_total{${OF_PODS}}[$__rate_interval])) > 0`,
        legend: "{{network_tcp_retransmit_type}}",
      },
    ],
  },
];

const LOCAL: readonly PanelSource[] = [
  {
    kind: "series",
    title: "Retransmits that failed on the node",
    description:
      "Share of all attempts that the node itself could not send: no route, no memory, a full queue, or the first copy still in the driver. Up to a tenth is ordinary under load; the alert is at a quarter.",
    unit: "percentunit",
    width: 8,
    height: 8,
    queries: [
      {
        expr: `sum by (k8s_node_name) (rate(tcp_retransmit_failures_total{${OF_NODES}}[$__rate_interval])) / (sum by (k8s_node_name) (rate(tcp_retransmit_failures_total{${OF_NODES}}[$__rate_interval])) + sum by (k8s_node_name) (rate(tcp_retransmits_total{${OF_NODES}}[$__rate_interval])) > 0)`,
        legend: "{{k8s_node_name}}",
      },
    ],
    emptyByNature: "no send has failed, or the rung does not show it",
    links: [runbook("TcpRetransmitSendFailures")],
  },
  {
    kind: "series",
    title: "Zones that it sends again to",
    description:
      "Segments by the zone of the peer. A path between zones that loses shows on all nodes of both.",
    unit: "suffix: seg/s",
    width: 8,
    height: 8,
    stacked: true,
    queries: [
      {
        expr: `sum by (destination_cloud_availability_zone) (rate(tcp_retransmit_zone_pairs_total{${OF_NODES},destination_cloud_availability_zone!=""}[$__rate_interval]))`,
        legend: "to {{destination_cloud_availability_zone}}",
      },
    ],
    emptyByNature: "nodes without a topology.kubernetes.io/zone label are in no zone",
  },
  {
    kind: "series",
    title: "Seen of what the kernel counted",
    description:
      "Coverage on this node over 10 minutes, with the rung. Only the rungs kprobe and eprobe can be exact; on the others it is an estimate that is near.",
    unit: "percentunit",
    decimals: 1,
    width: 8,
    height: 8,
    thresholds: { warning: 0.999, bad: 0.99, descending: true },
    queries: [
      {
        expr: `node:tcpretrans_coverage:ratio_increase10m{${OF_NODES}}`,
        legend: "{{k8s_node_name}}, {{probe_rung}}",
      },
    ],
    links: [runbook("TcpretransCoverageLow"), TO_NODE],
  },
];

const ROWS: readonly RowSource[] = [
  { title: "Is it this node?", panels: IS_IT_THE_NODE },
  { title: "Who and why", panels: WHO_AND_WHY },
  { title: "On the node itself", panels: LOCAL },
];

/** One node or a few. */
export const NODE_DASHBOARD: DashboardSource = {
  uid: UIDS.node,
  title: "tcpretrans / Node",
  description: "Whether a node is the cause: its peers, its pods, its causes, and what it could not send.",
  variables: NODE_VARIABLES,
  rows: ROWS,
  documents: [
    { title: "What is on it", url: `${DOCUMENTS_URL}/dashboards.md` },
    runbook("TcpRetransmitNodeOutlier"),
    runbook("TcpRetransmitSendFailures"),
  ],
};
