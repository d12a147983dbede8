import { ATTRIBUTES as A } from "../../src/export/attributes.ts";
import type { MetricAttributes, MetricDefinition } from "../../src/export/metric-family.ts";
import { RETRANSMIT_METRICS as M } from "../../src/export/metrics.ts";
import { DROP_REASONS } from "../../src/export/otlp/export-counts.ts";
import { SELF_METRICS as S } from "../../src/export/self-metric-definitions.ts";
import {
  add,
  beginHistory,
  type History,
  measure,
  sample,
  takeSamples,
  writeHistory,
} from "./synthetic-series.ts";
import {
  BAD_NODE,
  CAUSES,
  CLUSTER,
  COLLECTOR_AWAY,
  type Flow,
  flows,
  isDead,
  lossOf,
  MINUTES,
  NODES,
  type SyntheticPod,
  zoneOf,
} from "./synthetic-traffic.ts";

const STEP_SECONDS = 30;
/**
 * Two hours of a cluster of six nodes in OpenMetrics with times, under the names and labels of the real definitions: ordinary
 * loss, then a bad card in one node, then a service that does not answer, and a Collector that is away for five minutes.
 */
export function syntheticHistory(endSeconds: number): string {
  const history = beginHistory();
  const all = flows();
  const start = endSeconds - MINUTES * 60;
  for (let second = 0; second <= MINUTES * 60; second += STEP_SECONDS) {
    const minute = second / 60;
    for (const flow of all) countFlow(history, flow, minute);
    for (const node of NODES) countAgent(history, node, minute);
    takeSamples(history, start + second);
  }
  return writeHistory(history);
}

function countFlow(history: History, flow: Flow, minute: number): void {
  const { pod, to, rate, shape } = flow;
  const load =
    rate * STEP_SECONDS * (0.85 + 0.15 * Math.sin(minute / 9 + rate)) * (0.9 + 0.2 * history.random());
  const dead = isDead(flow, minute);
  const sent = dead ? 2 * STEP_SECONDS : load;
  const lost = dead ? 0.9 * STEP_SECONDS : load * lossOf(flow, minute);
  const source = sourceOf(pod);
  if (pod.isOnHost !== true) {
    add(history, M.sent, { ...placeOf(pod.node), ...source }, sent);
    add(history, M.retransmitted, { ...placeOf(pod.node), ...source }, 0);
  }
  for (const [cause, share] of Object.entries(dead ? { syn: 1 } : CAUSES[shape])) {
    const segments = sample(history, lost * share);
    if (segments > 0) countLoss(history, flow, { cause, segments });
  }
  const probes = sample(history, lost * 0.2);
  add(history, M.lossProbes, { ...placeOf(pod.node), ...source, [A.outcome]: "new_data" }, probes);
  if (to.node === undefined) return;
  const nodes = { [A.sourceNode]: pod.node, [A.destinationNode]: to.node };
  add(history, M.nodePairs, { ...placeOf(pod.node), ...nodes }, 0);
}

function countLoss(
  history: History,
  { pod, to }: Flow,
  { cause, segments }: { readonly cause: string; readonly segments: number },
): void {
  const place = placeOf(pod.node);
  const source = sourceOf(pod);
  const type = { [A.retransmitType]: cause };
  const peer = {
    [A.destinationKind]: to.kind,
    [A.destinationName]: to.name,
    ...(to.namespace === undefined ? {} : { [A.destinationNamespace]: to.namespace }),
  };
  add(history, M.segments, { ...place, ...source, ...peer, ...type }, segments);
  add(history, M.retransmits, { ...place, ...source, ...type }, segments * 0.8);
  if (pod.isOnHost !== true) add(history, M.retransmitted, { ...place, ...source }, segments);
  if (cause === "tail_loss_probe")
    add(history, M.lossProbes, { ...place, ...source, [A.outcome]: "sent" }, segments);
  if (pod.node === BAD_NODE && cause === "fast")
    add(history, M.failures, { ...place, ...source, ...type }, segments * 0.06);
  if (cause === "timeout" || cause === "syn") countStalls(history, pod, { cause, segments });
  if (to.node !== undefined)
    add(history, M.nodePairs, { ...place, [A.sourceNode]: pod.node, [A.destinationNode]: to.node }, segments);
  if (to.node !== undefined)
    add(
      history,
      M.zonePairs,
      { ...place, [A.sourceZone]: zoneOf(pod.node), [A.destinationZone]: zoneOf(to.node) },
      segments,
    );
  for (const metric of [S.segmentsSeen, S.segmentsKernel])
    add(
      history,
      metric,
      { ...place, [A.rung]: rungOf(pod.node) },
      segments * (metric === S.segmentsSeen ? seenOf(pod.node) : 1),
    );
}

function countStalls(
  history: History,
  pod: SyntheticPod,
  { cause, segments }: { readonly cause: string; readonly segments: number },
): void {
  const { [A.sourcePod]: _, ...workload } = sourceOf(pod);
  const attributes = { ...placeOf(pod.node), ...workload };
  for (let i = 0; i < segments; i++) {
    const doublings = Math.floor(-Math.log2(1 - history.random()) / (cause === "syn" ? 0.8 : 1.6));
    const seconds = (cause === "syn" ? 1 : 0.2) * 2 ** Math.min(doublings, 6) * (1 + 0.05 * history.random());
    measure(history, M.timeout, attributes, seconds);
    if (rungOf(pod.node) === "kprobe") measure(history, M.stall, attributes, seconds * 1.1);
  }
}

/** What an agent says of itself in one step. */
function countAgent(history: History, node: string, minute: number): void {
  const place = placeOf(node);
  const isAway = minute >= COLLECTOR_AWAY[0] && minute < COLLECTOR_AWAY[1];
  const noise = history.random();
  const set = (definition: MetricDefinition, attributes: MetricAttributes, value: number) =>
    add(history, definition, { ...place, ...attributes }, value, "set");
  const count = (definition: MetricDefinition, attributes: MetricAttributes, value: number) =>
    add(history, definition, { ...place, ...attributes }, value);
  set(S.buildInfo, { [A.version]: "0.1.0", [A.runtimeVersion]: "26.10.0" }, 1);
  set(S.rung, { [A.rung]: rungOf(node) }, 1);
  set(S.memory, {}, (82 + 6 * noise + (isAway ? 4 : 0)) * 1048576);
  set(S.series, {}, 420 + Number(node.slice(-1)) * 31 + minute / 4);
  for (const [resource, most] of Object.entries({ pods: 50, services: 60, endpointslices: 55, nodes: 290 }))
    set(S.watchAge, { [A.resource]: resource }, (minute * 60 + most * Number(node.slice(-1))) % most);
  set(
    S.queueSize,
    { [A.signal]: "logs" },
    isAway ? (minute - COLLECTOR_AWAY[0]) * 190_000 * (0.9 + 0.1 * noise) : 3000 * noise,
  );
  set(S.queueRecords, { [A.signal]: "logs" }, isAway ? (minute - COLLECTOR_AWAY[0]) * 2500 : 20 * noise);
  set(S.waiting, {}, Math.round(3 * noise));
  count(
    S.cpuTime,
    {},
    STEP_SECONDS * (0.006 + 0.003 * noise + (node === BAD_NODE && minute > 78 ? 0.012 : 0)),
  );
  count(S.ticks, {}, STEP_SECONDS * 10);
  count(S.tickTime, {}, STEP_SECONDS * 10 * (0.0003 + 0.0002 * noise));
  for (const reason of ["overrun", "fault"]) count(S.recordsLost, { [A.reason]: reason }, 0);
  for (const quiet of [
    S.probeMisses,
    S.gaps,
    S.foreign,
    S.undetermined,
    S.waited,
    S.segmentsLeftOut,
    S.seriesRefused,
    S.logsSummarised,
  ])
    count(quiet, {}, 0);
  for (const end of ["source", "destination"])
    count(S.unattributed, { [A.end]: end }, end === "destination" ? Math.round(noise) : 0);
  count(S.gaveUp, { [A.reason]: "timeout" }, 0);
  count(S.logsEmitted, {}, 300 * noise);
  count(S.logsSummaries, {}, 0);
  count(S.exported, { [A.signal]: "logs" }, isAway ? 0 : 300 * noise);
  count(S.exported, { [A.signal]: "metrics" }, isAway ? 0 : 250);
  if (isAway) count(S.exportFailures, { [A.signal]: "logs", [A.errorType]: "UNAVAILABLE" }, 4);
  for (const reason of DROP_REASONS) count(S.queueDropped, { [A.signal]: "logs", [A.reason]: reason }, 0);
}

function rungOf(node: string): string {
  return node === "node-6" ? "tracepoint" : "kprobe";
}

function seenOf(node: string): number {
  return node === "node-6" ? 0.93 : 1;
}

function placeOf(node: string): MetricAttributes {
  return { [A.nodeName]: node, [A.clusterName]: CLUSTER };
}

function sourceOf({ namespace, workloadKind, workload, name }: SyntheticPod): MetricAttributes {
  return {
    [A.sourceKind]: "pod",
    [A.sourceNamespace]: namespace,
    [A.sourceWorkloadKind]: workloadKind,
    [A.sourceWorkloadName]: workload,
    [A.sourcePod]: name,
  };
}
