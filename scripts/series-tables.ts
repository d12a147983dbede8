import { ProtobufMetricsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { Cause, TcpEvent } from "../src/event/tcp-event.ts";
import { METRIC_DETAILS, type MetricDetail } from "../src/export/metric-attributes.ts";
import type { MetricFamily, MetricSource } from "../src/export/metric-family.ts";
import { otlpMetricProducer } from "../src/export/otlp-metric-producer.ts";
import { formatPrometheus } from "../src/export/prometheus-text.ts";
import { RetransmitMetrics } from "../src/export/retransmit-metrics.ts";
import { SELF_METRICS } from "../src/export/self-metric-definitions.ts";
import { ASSUMED, nodeOfPods } from "../test/bench/a-node-of-pods.ts";
import { markdown } from "../test/bench/bench-report.ts";
import { anEvent, EVERY_FIELD } from "../test/export/an-event.ts";

const NODES = 1000;
/** How much was lost before the series are counted, in events of the whole node. */
const LOSSES = [
  { name: "nothing lost", events: 0 },
  { name: "a loss a minute and pod, for an hour", events: 60 * ASSUMED.podsPerNode },
  { name: "a storm of 100,000 losses", events: 100_000 },
] as const;

/** The part of docs/scaling.md: series of one node and of many, each made by the program's own code. */
export async function seriesTables(): Promise<string> {
  const counted = [];
  for (const { name, events } of LOSSES) {
    for (const detail of METRIC_DETAILS) counted.push({ name, detail, ...(await count(detail, events)) });
  }
  const rows = counted.map(({ name, detail, series, samples, text, otlp }) => [
    `${name}, \`${detail}\``,
    ...[series, samples, text, otlp].map((value) => value.toFixed(0)),
    ...[(series * NODES) / 1e6, (samples * NODES) / 1e6].map((value) => value.toFixed(2)),
  ]);
  const head = ["series", "in Prometheus", "KB of text", "KB of OTLP"];
  const ordinary = counted.find(({ name, detail }) => name === LOSSES[1].name && detail === "pod");
  return `${assumptions()}

${markdown([["", ...head, "million series of all", "million in Prometheus"], ...rows])}

Of ${LOSSES[1].name}, at the detail \`pod\`:

${markdown([["", "series"], ...(ordinary?.byMetric ?? []).map(([name, value]) => [`\`${name}\``, `${value}`])])}`;
}

function assumptions(): string {
  const { podsPerNode, workloadsPerNode, podsPerWorkload, peersPerWorkload, zones, types } = ASSUMED;
  const shares = Object.entries(types).map(([type, share]) => `${type} ${share / 10} %`);
  return `One node of ${NODES}: ${podsPerNode} pods of ${workloadsPerNode} workloads, which talk to ${peersPerWorkload} workloads each, of ${podsPerWorkload} pods, and to what is
outside; ${zones} zones; types ${shares.join(", ")}. A histogram is one series, and ${SAMPLES_OF_HISTOGRAM} in Prometheus. The agent's
own metrics are not in it: ${ownSeries()}.`;
}

/** Self-metrics that are more than one series: pods, services, slices and nodes; logs, metrics and traces; ends; reasons. */
const OWN: Partial<Record<keyof typeof SELF_METRICS, number>> = {
  ...{
    recordsLost: 2,
    unattributed: 2,
    gaveUp: 2,
    watchAge: 4,
    watchSynced: 4,
    watchProblems: 0,
    namesHeld: 5,
  },
  ...{ queueRecords: 2, queueSize: 2, queueDropped: 8, exported: 3, exportFailures: 0 },
  ...{ episodesEnded: 4, httpRequests: 4, httpLimited: 3, logLinesOmitted: 2, seriesEnded: 3 },
};

/** While nothing fails. */
function ownSeries(): number {
  const keys = Object.keys(SELF_METRICS) as (keyof typeof SELF_METRICS)[];
  return keys.reduce((sum, key) => sum + (OWN[key] ?? 1), 0);
}

/** Ten bounds and +Inf, sum and count. */
const SAMPLES_OF_HISTOGRAM = 13;
const START_MS = 1_800_000_000_000;

async function count(detail: MetricDetail, events: number) {
  const { node, pods, connection, cause } = nodeOfPods(0, { nodes: NODES });
  const metrics = new RetransmitMetrics({
    detail,
    place: { node: node.name, cluster: "production" },
    now: () => START_MS,
  });
  for (const pod of pods) {
    metrics.podSeen(pod);
    metrics.podCounters(pod.uid, { netns: 1, sent: 1_000_000n, retransmitted: 1_000n, isWhole: true });
  }
  for (let i = 0; i < events; i++) {
    const ends = connection();
    metrics.consume([{ event: lossOf(cause(), i), ends }]);
    if (i % 5 === 0) metrics.measureStall(ends, 0.4);
  }
  const families = metrics.collect(START_MS, "count");
  const byMetric = families.map((family) => [family.name, family.points.length] as const);
  const text = formatPrometheus(families, { openMetrics: true });
  const otlp = await otlpBytes(metrics);
  return {
    byMetric,
    series: byMetric.reduce((sum, [, points]) => sum + points, 0),
    samples: families.reduce((sum, family) => sum + samplesOf(family), 0),
    text: text.length / 1000,
    otlp: otlp.length / 1000,
  };
}

function samplesOf({ kind, points }: MetricFamily): number {
  return points.length * (kind === "histogram" ? SAMPLES_OF_HISTOGRAM : 1);
}

async function otlpBytes(source: MetricSource): Promise<Uint8Array> {
  const scope = { name: "tcpretrans", version: "0.1.0" };
  const producer = otlpMetricProducer({ source, scope, now: () => START_MS });
  const { resourceMetrics } = await producer.collect();
  const resource = resourceFromAttributes({ "service.name": "tcpretrans" });
  return ProtobufMetricsSerializer.serializeRequest({ ...resourceMetrics, resource }) ?? new Uint8Array();
}

/** A tail loss probe as often retransmits as it sends what is new. */
function lossOf(cause: Cause, i: number): TcpEvent {
  const isProbe = cause === "tail_loss_probe";
  return anEvent({
    ...{ kind: isProbe ? "loss_probe" : "retransmit", cause, segments: 1, socket: EVERY_FIELD },
    outcome: isProbe && i % 2 === 0 ? "new_data" : "sent",
  });
}
