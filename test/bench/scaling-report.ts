import { markdown } from "./bench-report.ts";
import type { Measured, Run } from "./identity-report.ts";
import type { RelistSpread, RequestSpread } from "./relist-spread.ts";
import { CLUSTER, type Load, loads, startMb } from "./scaling-arithmetic.ts";

/** The part of docs/scaling.md: sizes, what was measured beside what they foretell, and the arithmetic. */
export function scalingPart(measured: Measured): string {
  const { bytes, relists, large } = measured;
  return `### Bytes of an object
As they come over the wire, without TLS. Streamed and events are plain JSON; lists by pages are packed with gzip. The
copies of one object pack better than a real cluster's: there 11 × was measured.

${sizes(measured)}

### Lists, measured and foretold
Counters of one program after its first lists, and what the sizes above (taken at ${large.nodes} nodes) give for them.

${listsTable(measured)}

### One node's program
${CLUSTER.podsPerNode} pods a node, ${CLUSTER.podsPerService} pods a service, ${CLUSTER.replacedPerHour} % of the pods replaced each hour, ${CLUSTER.eventsOfAPodsLife} events a pod's life, ${CLUSTER.sliceEventsOfAPodsLife} of its slice.

${oneTable(loads(bytes))}

### All nodes together
${allTable(loads(bytes))}

### ${relists.agents} programs at one API server
${relistText(relists)}`;
}

function sizes({ bytes: { streamed, packed, event } }: Measured): string {
  const b = (value: number) => value.toFixed(0);
  return markdown([
    ["bytes", "streamed list", "list by pages, gzip", "event of a watch"],
    ["Pod", b(streamed.pod), b(packed.pod), b(event.pod)],
    ["Service", b(streamed.service), b(packed.service), "as streamed"],
    ["EndpointSlice of 6", b(streamed.slice), b(packed.slice), b(event.slice)],
    ["Node", "not streamed", b(packed.node), "not watched"],
    ["bookmark, every minute", "", "", b(event.bookmark)],
  ]);
}

function listsTable({ runs, bytes }: Measured): string {
  const own = runs.filter(({ mode }) => mode !== "informer" && mode !== "pods");
  const rows = own.map((run) => {
    const { size, mode } = run;
    const scope = mode === "local" ? "local" : "cluster";
    const { streamed, packed } = startMb(size.nodes, scope, bytes);
    const isPacked = mode === "cluster-in-pages";
    const count = (what: "lists" | "watches" | "items" | "bytes") =>
      Object.values(run.synced.resources).reduce((sum, each) => sum + each[what], 0);
    return [
      `${size.nodes} nodes, \`${scope}\`${isPacked ? ", by pages" : ""}`,
      ...[`${count("items")}`, `${openWatches(run)}`, (count("bytes") / 1e6).toFixed(2)],
      ...[(isPacked ? packed : streamed).toFixed(2), (run.synced.syncedMs / 1000).toFixed(1)],
      ...[run.synced.cpuSeconds.toFixed(1), run.serverCpuSeconds.toFixed(1)],
    ];
  });
  const head = ["objects", "watches", "MB", "MB foretold", "s", "CPU s", "API server CPU s"];
  return markdown([["", ...head], ...rows]);
}

function openWatches({ synced }: Run): number {
  return Object.values(synced.resources).filter(({ watches }) => watches > 0).length;
}

function oneTable(all: readonly Load[]): string {
  const rows = all.map((load) => [
    ...[`${load.nodes} nodes, \`${load.scope}\``, `${load.objects}`, `${load.watches}`],
    ...[load.requestsPerHour.toFixed(0), load.startMb.toFixed(1), load.packedStartMb.toFixed(1)],
    load.hourMb.toFixed(1),
  ]);
  const head = ["objects", "watches", "requests an hour", "MB at start", "the same by pages", "MB an hour"];
  return markdown([["", ...head], ...rows]);
}

function allTable(all: readonly Load[]): string {
  const rows = all.map((load) => [
    ...[`${load.nodes} nodes, \`${load.scope}\``, `${load.allWatches}`, load.allStartGb.toFixed(1)],
    ...[load.allEventsPerSecond.toFixed(0), load.allMbPerSecond.toFixed(2)],
  ]);
  return markdown([["", "watches", "GB when all start", "events/s", "MB/s"], ...rows]);
}

function relistText({ agents, start, restart, awaySeconds, relists }: RelistSpread): string {
  const rows = [
    ["all start at once (first lists within 2 s)", ...figures(start)],
    [`the API server is back after ${awaySeconds.toFixed(0)} s`, ...figures(restart)],
  ];
  const head = ["requests/s at most", "lists/s at most", "lists", "refused (429)", "s until all know all"];
  const byFive = Array.from({ length: Math.ceil(restart.perSecond.length / 5) }, (_, i) =>
    sum(restart.perSecond.slice(5 * i, 5 * i + 5).map(({ lists }) => lists)),
  );
  return `${agents} programs of four resources each. While the API server was away the cluster changed, so that each watch was
behind: ${relists} lists after a 410. Lists in each five seconds after it was ready: ${byFive.join(", ")}.

${markdown([["", ...head], ...rows])}`;
}

function figures({ perSecond, seconds }: RequestSpread): readonly string[] {
  const all = perSecond.map((each) => each.all);
  const lists = perSecond.map((each) => each.lists);
  const refused = perSecond.map((each) => each.refused);
  return [
    ...[`${Math.max(...all)}`, `${Math.max(...lists)}`, `${sum(lists)}`, `${sum(refused)}`],
    seconds.toFixed(1),
  ];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
