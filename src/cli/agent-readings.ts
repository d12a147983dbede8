import { ATTRIBUTES as A } from "../export/attributes.ts";
import type { ExportCounts } from "../export/otlp/export-counts.ts";
import type { SelfReading, SelfReadings } from "../export/self-metrics.ts";
import type { Covered } from "../reconcile/coverage-totals.ts";
import type { AgentParts } from "./agent-parts.ts";
import { estimateOf } from "./estimate-of.ts";
import type { NamingSession } from "./naming-session.ts";

/** What the agent says of itself, read from its parts when it is asked for. */
export function agentReadings(parts: AgentParts): SelfReadings {
  const { metrics, ticks } = parts;
  const coverage = () => parts.counters?.coverage?.totals;
  const losses = () => parts.capturing?.losses();
  const naming = () => parts.capturing?.naming?.counts;
  const covered =
    (of: (totals: NonNullable<ReturnType<typeof coverage>>) => Covered, side: keyof Covered) => () => {
      const totals = coverage();
      return totals && [{ attributes: rungAttributes(parts), value: of(totals)[side] }];
    };
  return {
    segmentsSeen: covered(({ segments }) => segments, "seen"),
    segmentsKernel: covered(({ segments }) => segments, "kernel"),
    lossProbesSeen: covered(({ lossProbes }) => lossProbes, "seen"),
    lossProbesKernel: covered(({ lossProbes }) => lossProbes, "kernel"),
    segmentsLeftOut: () => coverage()?.segmentsLeftOut,
    namespacesVanished: () => coverage()?.namespacesLeftOut,
    recordsLost: () => {
      const lost = losses();
      return lost && byReason({ overrun: lost.overrun, fault: lost.faults });
    },
    probeMisses: () => losses()?.probeMisses,
    gaps: () => parts.capturing?.session.gaps.count,
    foreign: () => naming()?.foreign,
    undetermined: () => naming()?.undetermined,
    unattributed: () => {
      const counts = naming();
      return (
        counts && [
          { attributes: { [A.end]: "source" }, value: counts.unknownLocal },
          { attributes: { [A.end]: "destination" }, value: counts.unknownPeer },
        ]
      );
    },
    waiting: () => parts.capturing?.naming?.waiting,
    waited: () => naming()?.waited,
    gaveUp: () => {
      const counts = naming();
      return counts && byReason({ timeout: counts.gaveUp, overflow: counts.overflow });
    },
    watchAge: () => watchAges(parts),
    watchSynced: () =>
      ofResources(parts, ({ state }) => [{ attributes: {}, value: state === "synced" ? 1 : 0 }]),
    watchProblems: () => ofResources(parts, ({ counters }) => byReason(counters.problems)),
    namesHeld: () => namesHeld(parts),
    ticks: () => ticks.count,
    tickTime: () => ticks.seconds,
    cpuTime: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    memory: () => process.memoryUsage.rss(),
    clockSteps: () => parts.capturing?.session.clock.steps,
    logsEmitted: () => parts.capturing?.eventLog?.counts.records,
    logsSummaries: () => parts.capturing?.eventLog?.counts.summaries,
    logsSummarised: () => parts.capturing?.eventLog?.counts.summarised,
    episodes: () => parts.capturing?.episodes.open,
    episodesEnded: () => parts.capturing && byReason(parts.capturing.episodes.ended),
    episodesWithoutSpan: () => parts.capturing?.episodes.withoutSpan,
    episodesWithoutStall: () => parts.capturing?.episodes.withoutStall,
    queueRecords: () => bySignal(parts, ({ waitingRecords }) => waitingRecords),
    queueSize: () => bySignal(parts, ({ waitingBytes }) => waitingBytes),
    queueDropped: () =>
      signalsOf(parts).flatMap(([signal, { dropped }]) =>
        Object.entries(dropped).map(([reason, value]) => ({
          attributes: { [A.signal]: signal, [A.reason]: reason },
          value,
        })),
      ),
    exported: () =>
      outcomesOf(parts).map(([signal, { exported }]) => ({
        attributes: { [A.signal]: signal },
        value: exported,
      })),
    exportFailures: () =>
      outcomesOf(parts).flatMap(([signal, { failures }]) =>
        [...failures].map(([code, value]) => ({
          attributes: { [A.signal]: signal, [A.errorType]: code },
          value,
        })),
      ),
    httpRequests: () => parts.httpRequests.readings(),
    httpLimited: () => {
      const counts = parts.server?.counts;
      return (
        counts && byReason({ refused: counts.refused, displaced: counts.displaced, cut_off: counts.cutOff })
      );
    },
    logLinesOmitted: () => {
      const { keptBack, leftOut } = parts.log.counts;
      return byReason({ repeated: keptBack, left_out: leftOut, unread: parts.output.lost });
    },
    rung: () => parts.capturing && [{ attributes: rungAttributes(parts), value: 1 }],
    buildInfo: () => [
      { attributes: { [A.version]: parts.version, [A.runtimeVersion]: process.versions.node }, value: 1 },
    ],
    series: () => metrics.series.size,
    seriesEnded: () => {
      const { podGone, outranked, idle } = metrics.series;
      return byReason({ pod_gone: podGone, outranked, idle });
    },
    seriesRefused: () => metrics.series.refused,
  };
}

/** The rung, and whether what it counts is the kernel's own number or an estimate. */
function rungAttributes({ capturing }: AgentParts): SelfReading["attributes"] {
  if (capturing === undefined) return {};
  const { rung } = capturing.session.capture.installed;
  return {
    [A.rung]: rung,
    [A.counting]: estimateOf(capturing.tells) === undefined ? "exact" : "estimated",
  };
}

function watchAges(parts: AgentParts): readonly SelfReading[] {
  const now = Date.now();
  return ofResources(parts, ({ counters: { lastContactMs } }) =>
    lastContactMs === undefined ? [] : [{ attributes: {}, value: Math.max(0, now - lastContactMs) / 1000 }],
  );
}

type Followed = NonNullable<
  ReturnType<NamingSession["watch"]["resources"]> extends ReadonlyMap<string, infer T> ? T : never
>;

/** What is read of each resource that is followed, with its name. */
function ofResources(
  { names }: AgentParts,
  read: (followed: Followed) => readonly SelfReading[],
): readonly SelfReading[] {
  return [...(names?.watch.resources() ?? [])].flatMap(([resource, followed]) =>
    read(followed).map(({ attributes, value }) => ({
      attributes: { [A.resource]: resource, ...attributes },
      value,
    })),
  );
}

function namesHeld({ names }: AgentParts): readonly SelfReading[] | undefined {
  const counts = names?.watch.index.counts();
  if (counts === undefined) return undefined;
  const { pods, services, nodes, endpointAddresses, tombstones } = counts;
  return Object.entries({ pods, services, nodes, endpoint_addresses: endpointAddresses, tombstones }).map(
    ([resource, value]) => ({ attributes: { [A.resource]: resource }, value }),
  );
}

function signalsOf({ exports }: AgentParts): readonly (readonly [signal: "logs" | "traces", ExportCounts])[] {
  const [logs, traces] = [exports.logs(), exports.traces()];
  return [
    ...(logs === undefined ? [] : [["logs", logs] as const]),
    ...(traces === undefined ? [] : [["traces", traces] as const]),
  ];
}

function bySignal(parts: AgentParts, read: (counts: ExportCounts) => number): readonly SelfReading[] {
  return signalsOf(parts).map(([signal, counts]) => ({
    attributes: { [A.signal]: signal },
    value: read(counts),
  }));
}

function byReason(counts: Readonly<Record<string, number>>): readonly SelfReading[] {
  return Object.entries(counts).map(([reason, value]) => ({ attributes: { [A.reason]: reason }, value }));
}

/** What became of the requests of each signal that leaves over OTLP; the exports are opened after the metrics. */
function outcomesOf(parts: AgentParts): readonly (readonly [signal: string, Outcomes])[] {
  const metrics = parts.exports.metrics();
  return [...signalsOf(parts), ...(metrics === undefined ? [] : [["metrics", metrics] as const])];
}

type Outcomes = Pick<ExportCounts, "exported" | "failures">;
