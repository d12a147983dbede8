import { DOCUMENTS_URL, runbook, UIDS } from "./links.ts";
import type { DashboardSource, PanelSource, Query, RowSource, SeriesPanel } from "./panel-source.ts";
import { NODE_VARIABLES, OF_NODES } from "./variables.ts";

const CAN_IT_BE_TRUSTED: readonly PanelSource[] = [
  {
    kind: "series",
    title: "Seen of what the kernel counted",
    description:
      "Coverage over 10 minutes: retransmitted segments in records, of those in the kernel's counters. 100 % on the rungs kprobe and eprobe; near it on the others, where one event may be several segments. A hair above 100 %: an event during a reading of the counters is seen with it and counted by the next.",
    unit: "percentunit",
    decimals: 1,
    width: 12,
    height: 8,
    thresholds: { warning: 0.999, bad: 0.99, descending: true },
    queries: [
      {
        expr: `node:tcpretrans_coverage:ratio_increase10m{${OF_NODES}}`,
        legend: "{{k8s_node_name}}, {{probe_rung}}",
      },
    ],
    links: [runbook("TcpretransCoverageLow")],
  },
  {
    kind: "table",
    title: "Agents",
    description:
      "By which means each node's agent sees (rung), and how many segments it missed in the range shown: what the kernel counted less what was seen. A few below 0: what happens during a reading of the counters is seen with it and counted by the next. On the tracepoint rung it is an estimate.",
    unit: "short",
    decimals: 0,
    width: 12,
    height: 8,
    queries: [
      {
        expr: `sum by (k8s_node_name, probe_rung) (increase(tcpretrans_segments_kernel_total{${OF_NODES}}[$__range])) - sum by (k8s_node_name, probe_rung) (increase(tcpretrans_segments_seen_total{${OF_NODES}}[$__range]))`,
        legend: "Missed",
      },
      {
        expr: `sum by (k8s_node_name, probe_rung) (increase(tcpretrans_segments_kernel_total{${OF_NODES}}[$__range]))`,
        legend: "Kernel's count",
      },
    ],
    columns: [
      { label: "k8s_node_name", title: "Node" },
      { label: "probe_rung", title: "Rung" },
    ],
    links: [runbook("TcpretransBlind"), runbook("TcpretransAgentLost")],
  },
  series("Where records went missing", {
    description:
      "overrun: the kernel's buffer was full before it was read. fault: bytes without sense. misses: the kernel left our probe out. left out: seen, but their namespace was gone before its counters could be read. gaps: another program had disabled our probes.",
    unit: "suffix: /s",
    queries: [
      {
        expr: `sum by (tcpretrans_reason) (rate(tcpretrans_records_lost_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "{{tcpretrans_reason}}",
      },
      { expr: `sum(rate(tcpretrans_probe_misses_total{${OF_NODES}}[$__rate_interval]))`, legend: "misses" },
      {
        expr: `sum(rate(tcpretrans_segments_left_out_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "left out",
      },
      { expr: `sum(rate(tcpretrans_gaps_total{${OF_NODES}}[$__rate_interval]))`, legend: "gaps" },
    ],
    links: [runbook("TcpretransCoverageLow")],
  }),
  series("Events without a name, and other nodes' events", {
    description:
      "An end for which no name was found; events that waited for a name in vain; events of other nodes on the same kernel, which are left out (foreign), or may be (undetermined).",
    unit: "suffix: /s",
    queries: [
      {
        expr: `sum by (tcpretrans_end) (rate(tcpretrans_events_unattributed_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "no name: {{tcpretrans_end}}",
      },
      {
        expr: `sum(rate(tcpretrans_names_given_up_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "waited in vain",
      },
      {
        expr: `sum(rate(tcpretrans_events_foreign_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "foreign",
      },
      {
        expr: `sum(rate(tcpretrans_events_undetermined_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "undetermined",
      },
    ],
    emptyByNature: "an agent that follows no API server names nothing",
  }),
  series("API server: time since it last said anything", {
    description:
      "By resource; the largest of all agents. A bookmark comes every minute, nodes are listed every 4 to 6 minutes. Above 10 minutes names grow old.",
    unit: "s",
    queries: [
      {
        expr: `max by (tcpretrans_resource) (tcpretrans_watch_age_seconds{${OF_NODES}})`,
        legend: "{{tcpretrans_resource}}",
      },
    ],
    emptyByNature: "an agent that follows no API server has no watch",
  }),
];

const EXPORT: readonly PanelSource[] = [
  series("Records exported", {
    width: 6,
    description: "Log records, spans and metric points that a receiver has taken, each second.",
    unit: "suffix: /s",
    queries: [
      {
        expr: `sum by (tcpretrans_signal) (rate(tcpretrans_exported_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "{{tcpretrans_signal}}",
      },
    ],
    emptyByNature: "nothing is exported over OTLP",
  }),
  series("Queue", {
    width: 6,
    description:
      "What waits to be exported, encoded and compressed: the fullest queue of all agents. It grows while the receiver is away; at queue.maxBytes (32 MiB) records are dropped.",
    unit: "bytes",
    queries: [
      {
        expr: `max by (tcpretrans_signal) (tcpretrans_queue_size_bytes{${OF_NODES}})`,
        legend: "{{tcpretrans_signal}}",
      },
    ],
    emptyByNature: "nothing is exported over OTLP",
  }),
  series("Failed requests and drops", {
    width: 6,
    description:
      "Export requests that failed, by code: logs and spans are tried again. dropped: records that are lost for good.",
    unit: "suffix: /s",
    queries: [
      {
        expr: `sum by (tcpretrans_signal, error_type) (rate(tcpretrans_export_failures_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "{{tcpretrans_signal}} {{error_type}}",
      },
      {
        expr: `sum by (tcpretrans_signal, tcpretrans_reason) (rate(tcpretrans_queue_dropped_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "dropped {{tcpretrans_signal}}: {{tcpretrans_reason}}",
      },
    ],
    emptyByNature: "no request has failed",
    links: [runbook("TcpretransExportDropping")],
  }),
  series("Log records, and events summarised", {
    width: 6,
    description:
      "Records made each second, and events that a summary stands for because the budget (logs.recordsPerSecond) was used up. Metrics count every event all the same.",
    unit: "suffix: /s",
    queries: [
      { expr: `sum(rate(tcpretrans_logs_emitted_total{${OF_NODES}}[$__rate_interval]))`, legend: "records" },
      {
        expr: `sum(rate(tcpretrans_logs_summaries_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "summaries",
      },
      {
        expr: `sum(rate(tcpretrans_logs_summarised_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "events in summaries",
      },
    ],
    emptyByNature: "no log records are exported",
  }),
];

const COST: readonly PanelSource[] = [
  series("Processor time", {
    width: 6,
    description:
      "Seconds of processor time in each second, user and system together: 0.01 is 1 % of one CPU.",
    unit: "percentunit",
    queries: [
      {
        expr: `sum by (k8s_node_name) (rate(process_cpu_time_seconds_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "{{k8s_node_name}}",
      },
    ],
  }),
  series("Memory", {
    width: 6,
    description: "Resident memory of each agent, Node.js and buffers together.",
    unit: "bytes",
    queries: [
      {
        expr: `max by (k8s_node_name) (process_memory_usage_bytes{${OF_NODES}})`,
        legend: "{{k8s_node_name}}",
      },
    ],
  }),
  series("Time of a tick", {
    width: 6,
    description:
      "How long the agent takes to empty the kernel's buffers once, from bytes to metrics and records, on average. It grows in a storm.",
    unit: "s",
    queries: [
      {
        expr: `sum by (k8s_node_name) (rate(tcpretrans_tick_time_seconds_total{${OF_NODES}}[$__rate_interval])) / sum by (k8s_node_name) (rate(tcpretrans_ticks_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "{{k8s_node_name}}",
      },
    ],
  }),
  series("Metric series held", {
    width: 6,
    description:
      "Series about pods and their peers. At 5,000 (metrics.maxSeries) new ones are refused and counted in the overflow series.",
    unit: "short",
    queries: [
      { expr: `max by (k8s_node_name) (tcpretrans_series{${OF_NODES}})`, legend: "{{k8s_node_name}}" },
      {
        expr: `sum(increase(tcpretrans_series_refused_total{${OF_NODES}}[$__rate_interval]))`,
        legend: "refused",
      },
    ],
  }),
];

const ROWS: readonly RowSource[] = [
  { title: "Can the numbers be trusted?", panels: CAN_IT_BE_TRUSTED },
  { title: "Does it reach the backend?", panels: EXPORT },
  { title: "What does it cost?", panels: COST },
];

/** The agents themselves. */
export const AGENT_DASHBOARD: DashboardSource = {
  uid: UIDS.agent,
  title: "tcpretrans / Agents",
  description: "Whether the numbers can be trusted, whether they arrive, and what the agents cost.",
  variables: NODE_VARIABLES,
  rows: ROWS,
  documents: [
    { title: "What is on it", url: `${DOCUMENTS_URL}/dashboards.md` },
    runbook("TcpretransCoverageLow"),
    runbook("TcpretransExportDropping"),
  ],
};

interface SeriesOptions extends Pick<SeriesPanel, "description" | "unit"> {
  readonly queries: readonly Query[];
  readonly emptyByNature?: string;
  readonly links?: SeriesPanel["links"] & {};
  readonly width?: number;
}

function series(title: string, options: SeriesOptions): SeriesPanel {
  return { kind: "series", title, width: 8, height: 8, ...options };
}
