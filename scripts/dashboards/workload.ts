import { DOCUMENTS_URL, runbook, TO_LOGS, TO_NODE, UIDS } from "./links.ts";
import type { DashboardSource, PanelSource, RowSource } from "./panel-source.ts";
import { OF_PODS, POD, POD_VARIABLES, peers, WORKLOAD } from "./variables.ts";

const SEGMENTS = `tcp_retransmit_segments_total{${OF_PODS}}`;
const STALL = `tcp_stall_duration_seconds`;

const WHY_AND_TO_WHOM: readonly PanelSource[] = [
  {
    kind: "series",
    title: "Why: segments by cause",
    description:
      "What made the kernel send again. Much timeout: the path is dead for a while or only small exchanges run. Much fast: loss under load. Much syn: the peer does not answer.",
    unit: "suffix: seg/s",
    width: 12,
    height: 9,
    stacked: true,
    queries: [
      {
        expr: `sum by (network_tcp_retransmit_type) (rate(${SEGMENTS}[$__rate_interval])) > 0`,
        legend: "{{network_tcp_retransmit_type}}",
      },
    ],
    links: [TO_LOGS],
  },
  {
    kind: "table",
    title: "To whom: peers by segments in the range shown",
    description:
      "The 15 peers that most was sent again to, by cause. One peer only: look there. All peers alike: look at this workload's own nodes.",
    unit: "short",
    decimals: 0,
    width: 12,
    height: 9,
    queries: [
      {
        expr: `topk(15, sum by (destination_kind, destination_name, network_tcp_retransmit_type) (increase(${SEGMENTS}[$__range])) > 0)`,
        legend: "Segments",
      },
    ],
    columns: [
      { label: "destination_kind", title: "To" },
      { label: "destination_name", title: "Peer" },
      { label: "network_tcp_retransmit_type", title: "Why" },
    ],
    links: [TO_LOGS],
  },
];

const PODS: readonly PanelSource[] = [
  {
    kind: "series",
    title: "Share of segments sent again, by pod",
    description:
      "Retransmitted / (sent + retransmitted) by the kernel's counters of the pod's network namespace, over 5 minutes; pods that send less than one segment a second, and pods on the node's network, have no line.",
    unit: "percentunit",
    width: 12,
    height: 9,
    thresholds: { warning: 0.005, bad: 0.01 },
    queries: [
      {
        expr: `max by (${POD}, k8s_node_name) (pod:tcp_retransmit:ratio_rate5m{${OF_PODS}})`,
        legend: "{{source_k8s_pod_name}} on {{k8s_node_name}}",
      },
    ],
    links: [runbook("TcpRetransmitRatioHigh"), TO_NODE],
  },
  {
    kind: "table",
    title: "Pods: what they sent and sent again in the range shown",
    description:
      "One bad pod among good ones of the same workload: its node or its peers. All alike: the peer or the path. Sent is the kernel's OutSegs, which leaves retransmits out.",
    unit: "short",
    decimals: 0,
    width: 12,
    height: 9,
    queries: [
      {
        expr: `sum by (${POD}, k8s_node_name) (increase(tcp_segments_retransmitted_total{${OF_PODS}}[$__range]))`,
        legend: "Sent again",
      },
      {
        expr: `sum by (${POD}, k8s_node_name) (increase(tcp_segments_sent_total{${OF_PODS}}[$__range]))`,
        legend: "Sent",
      },
      {
        expr: `sum by (${POD}, k8s_node_name) (increase(tcp_retransmits_total{${OF_PODS},source_k8s_pod_name!="",network_tcp_retransmit_type="timeout"}[$__range]))`,
        legend: "Timeouts",
      },
    ],
    columns: [
      { label: "source_k8s_namespace_name", title: "Namespace" },
      { label: "source_k8s_pod_name", title: "Pod" },
      { label: "k8s_node_name", title: "Node" },
    ],
    links: [TO_LOGS],
  },
];

const STALLS: readonly PanelSource[] = [
  {
    kind: "series",
    title: "Connections standing still",
    description:
      "Seconds of stall in each second: how many connections of each workload stand still at any moment, on average.",
    unit: "short",
    width: 8,
    height: 8,
    queries: [
      {
        expr: `topk(10, sum by (${WORKLOAD}) (rate(${STALL}_sum{${OF_PODS},source_k8s_workload_name!=""}[$__rate_interval])))`,
        legend: "{{source_k8s_namespace_name}}/{{source_k8s_workload_name}}",
      },
    ],
    emptyByNature: "no connection has stood still",
    links: [runbook("TcpTimeoutsHigh")],
  },
  {
    kind: "series",
    title: "How long they stand still",
    description:
      "Quantiles of the time from a loss to progress, of the losses where a second retransmit proves it; most are mended by one and are not in it. Buckets begin at 0.2 s, the shortest retransmission timeout: what lies below reads as between 0 and 0.2 s.",
    unit: "s",
    width: 8,
    height: 8,
    queries: [
      stallQuantile(0.5, "half are shorter"),
      stallQuantile(0.95, "95 % are shorter"),
      stallQuantile(0.99, "99 % are shorter"),
    ],
    emptyByNature: "no connection has stood still",
    links: [TO_LOGS],
  },
  {
    kind: "series",
    title: "Timeouts that ran out (RTO)",
    description:
      "Quantiles of the retransmission timeout at the moment it ran out. It doubles with each one in a row: 0.2, 0.4, 0.8 s; of SYNs 1, 2, 4 s. High values are long outages of single connections.",
    unit: "s",
    width: 8,
    height: 8,
    queries: [
      {
        expr: `histogram_quantile(0.5, sum by (le) (rate(tcp_retransmit_timeout_seconds_bucket{${OF_PODS}}[$__rate_interval])))`,
        legend: "half are shorter",
      },
      {
        expr: `histogram_quantile(0.95, sum by (le) (rate(tcp_retransmit_timeout_seconds_bucket{${OF_PODS}}[$__rate_interval])))`,
        legend: "95 % are shorter",
      },
    ],
    emptyByNature: "rungs other than kprobe and eprobe do not tell the timeout",
  },
];

const MORE: readonly PanelSource[] = [
  {
    kind: "series",
    title: "Connection attempts repeated, by peer",
    description:
      "SYNs sent again to each peer: it does not answer, or something on the way drops. From the side of the server they are SYN-ACKs, in the picture of causes.",
    unit: "suffix: SYN/s",
    width: 8,
    height: 8,
    queries: [
      {
        expr: `topk(10, ${peers(`rate(tcp_retransmit_segments_total{${OF_PODS},network_tcp_retransmit_type="syn"}[$__rate_interval])`)} > 0)`,
        legend: "{{destination_kind}} {{destination_name}}",
      },
    ],
    emptyByNature: "no connection attempt was repeated",
    links: [runbook("TcpSynRetransmits")],
  },
  {
    kind: "series",
    title: "Tail loss probes, by what became of them",
    description:
      "The kernel asks for an answer that is late. new_data and nothing are harmless: no segment went out twice. Many that retransmit without loss elsewhere: the peer acknowledges late.",
    unit: "suffix: probes/s",
    width: 8,
    height: 8,
    queries: [
      {
        expr: `sum by (tcp_retransmit_outcome) (rate(tcp_loss_probes_total{${OF_PODS}}[$__rate_interval]))`,
        legend: "{{tcp_retransmit_outcome}}",
      },
    ],
    emptyByNature: "no probe was sent; the tracepoint rung sees only those that retransmit",
  },
  {
    kind: "series",
    title: "Retransmits that failed on the node",
    description:
      "The kernel tried and could not send: full queue, no memory, no route, or the first copy still in the driver (EBUSY, ordinary under load). The log records name the error since Linux 6.17.",
    unit: "suffix: /s",
    width: 8,
    height: 8,
    queries: [
      {
        expr: `sum by (network_tcp_retransmit_type) (rate(tcp_retransmit_failures_total{${OF_PODS}}[$__rate_interval]))`,
        legend: "{{network_tcp_retransmit_type}}",
      },
    ],
    emptyByNature: "no send has failed, or the rung does not show it",
    links: [runbook("TcpRetransmitSendFailures")],
  },
];

const ROWS: readonly RowSource[] = [
  { title: "Why and to whom", panels: WHY_AND_TO_WHOM },
  { title: "Which pods", panels: PODS },
  { title: "What it costs users", panels: STALLS },
  { title: "More of the causes", panels: MORE },
];

/** One workload or a few, and their pods. */
export const WORKLOAD_DASHBOARD: DashboardSource = {
  uid: UIDS.workload,
  title: "tcpretrans / Workload and pods",
  description: "A workload's retransmits by cause, peer and pod, and how long its connections stood still.",
  variables: POD_VARIABLES,
  rows: ROWS,
  documents: [
    { title: "What is on it", url: `${DOCUMENTS_URL}/dashboards.md` },
    runbook("TcpRetransmitRatioHigh"),
    runbook("TcpTimeoutsHigh"),
  ],
};

function stallQuantile(quantile: number, legend: string) {
  return {
    expr: `histogram_quantile(${quantile}, sum by (le) (rate(${STALL}_bucket{${OF_PODS}}[$__rate_interval])))`,
    legend,
  };
}
