import type { AgentCost } from "./agent-cost.ts";
import { formatGoals, type Goal, markdown, type Spread, show } from "./bench-report.ts";
import type { FollowMode, FollowState } from "./follow-state.ts";
import type { ClusterSize } from "./real-objects.ts";
import type { RelistSpread } from "./relist-spread.ts";
import type { ObjectBytes } from "./scaling-arithmetic.ts";

/** One process that followed the API server. */
export interface Run {
  readonly mode: FollowMode;
  readonly size: ClusterSize;
  readonly synced: FollowState;
  readonly settled: FollowState;
  /** What is in use of the heap after a collection. */
  readonly heapBytes: number;
  /** CPU of the API server until the process knew all. */
  readonly serverCpuSeconds: number;
}

/** What look-up-cost.ts prints. */
export interface LookUps {
  readonly pods: number;
  readonly conntrack: string;
  readonly cgroupMethod: string;
  readonly us: Readonly<Record<string, Spread>>;
}

export interface Measured {
  readonly small: ClusterSize;
  readonly large: ClusterSize;
  readonly runs: readonly Run[];
  readonly bytes: ObjectBytes;
  readonly lookUps: LookUps;
  /** What conntrack-bench.ts prints: spreads by what is measured and its unit. */
  readonly conntrack: Readonly<Record<string, Spread>>;
  readonly agent: Readonly<Record<"without" | "empty" | "local" | "cluster", AgentCost>>;
  readonly relists: RelistSpread;
}

const NAMES: Readonly<Record<FollowMode, string>> = {
  informer: "client-node's informer, pods alone",
  pods: "ours, pods alone",
  cluster: "ours, scope `cluster`",
  "cluster-in-pages": "the same without streaming lists",
  local: "ours, scope `local`",
};

const COLUMNS: readonly (readonly [head: string, value: (run: Run) => number, digits: number])[] = [
  ["pods", ({ synced }) => synced.pods, 0],
  ["heap bytes a pod", ({ heapBytes, synced }) => heapBytes / synced.pods, 0],
  ["heap MiB", ({ heapBytes }) => heapBytes / 1024 ** 2, 1],
  ["RSS MiB settled", ({ settled }) => settled.rssMib, 0],
  ["RSS MiB peak", ({ settled }) => settled.peakMib, 0],
  ["s to know all", ({ synced }) => synced.syncedMs / 1000, 1],
  ["CPU s", ({ synced }) => synced.cpuSeconds, 1],
  ["API server CPU s", ({ serverCpuSeconds }) => serverCpuSeconds, 1],
  ["longest block ms", ({ synced }) => synced.busyMs, 0],
  ["timer late ms", ({ synced }) => synced.lateMs, 0],
  ["MB read", ({ synced }) => synced.readBytes / 1e6, 1],
];

/** The run of a mode with the large cluster. */
export function runOf({ runs }: Measured, mode: FollowMode): Run {
  const run = runs.findLast((each) => each.mode === mode);
  if (run === undefined) throw new Error(`Cannot report: nothing followed by ${mode}`);
  return run;
}

/** Everyone at the large cluster, and client-node's figures by ours. */
export function followTable(measured: Measured): string {
  const [informer, own] = [runOf(measured, "informer"), runOf(measured, "pods")];
  const modes: readonly FollowMode[] = ["cluster", "cluster-in-pages", "local"];
  const row = (run: Run) => [
    NAMES[run.mode],
    ...COLUMNS.map(([, value, digits]) => value(run).toFixed(digits)),
  ];
  const ratios = COLUMNS.map(([head, value]) =>
    head === "pods" ? "" : `${(value(informer) / value(own)).toFixed(2)} ×`,
  );
  const rows = modes.map((mode) => row(runOf(measured, mode)));
  return markdown([
    ["", ...COLUMNS.map(([head]) => head)],
    ...[row(informer), row(own), ["client-node by ours", ...ratios], ...rows],
  ]);
}

export function goalsOf(measured: Measured): string {
  const { agent, lookUps, conntrack, large } = measured;
  const [informer, pods, whole] = (["informer", "pods", "cluster"] as const).map((mode) =>
    runOf(measured, mode),
  );
  const heap = (run: Run | undefined) => (run === undefined ? Number.NaN : run.heapBytes / run.synced.pods);
  const settled = agent.cluster.residentMib - agent.without.residentMib;
  const ofPods = agent.cluster.residentMib - agent.empty.residentMib;
  const peak = agent.cluster.peakMib - agent.without.residentMib;
  const slowest = Math.max(...Object.values(lookUps.us).map(({ median }) => median));
  const [empty, full] = [askOf(conntrack, "empty table"), askOf(conntrack, "table of 100000")];
  const block = whole?.synced.busyMs ?? Number.NaN;
  const goals: readonly Goal[] = [
    {
      goal: "heap of a known pod: at most 500 bytes",
      measured: `${heap(pods).toFixed(0)}; client-node ${heap(informer).toFixed(0)}`,
      met: heap(pods) <= 500,
    },
    {
      goal: `the agent's growth at ${large.pods} pods, settled: at most 25 MiB`,
      measured: `${settled.toFixed(1)} MiB, ${ofPods.toFixed(1)} of them beyond an empty cluster`,
      met: settled <= 25,
    },
    { goal: "the same at its peak: at most 80 MiB", measured: `${peak.toFixed(1)} MiB`, met: peak <= 80 },
    {
      goal: "longest block of the event loop by the lists: at most 50 ms",
      measured: `${block.toFixed(0)} ms; client-node ${informer?.synced.busyMs.toFixed(0)} ms`,
      met: block <= 50,
    },
    { goal: "names of both ends: at most 1 µs", measured: `${slowest.toFixed(2)} µs`, met: slowest <= 1 },
    {
      goal: "conntrack look-up by netlink, 100,000 entries: at most 20 µs",
      measured: `${full.toFixed(1)} µs`,
      met: full <= 20,
    },
    {
      goal: "the same, not growing with the table",
      measured: `${empty.toFixed(1)} µs with an empty one`,
      met: full <= 1.25 * empty,
    },
  ];
  return formatGoals(goals);
}

function askOf(conntrack: Measured["conntrack"], table: string): number {
  return conntrack[`netlink, no entry, ${table}, µs`]?.median ?? Number.NaN;
}

/** The part of docs/benchmarks.md. */
export function identityPart(measured: Measured): string {
  const { large, lookUps, conntrack, agent } = measured;
  const looks = Object.entries(lookUps.us).map(([what, us]) => [what, show(us, 2)]);
  const asks = Object.entries(conntrack).map(([what, value]) => [
    what,
    show(value, value.median < 100 ? 1 : 0),
  ]);
  const rest = Object.entries({
    "without `--kubernetes`": agent.without,
    "an empty cluster": agent.empty,
    "scope `local`": agent.local,
    "scope `cluster`": agent.cluster,
  }).map(([what, { residentMib, memory, peakMib, percent }]) => [
    ...[what, residentMib.toFixed(1), memory.own.toFixed(1), memory.files.toFixed(1)],
    ...[peakMib.toFixed(1), percent.toFixed(2)],
  ]);
  return `**The cluster.** ${large.pods} pods of two containers, ${large.services} services with an EndpointSlice each, ${large.nodes} nodes, served by a
real kube-apiserver and etcd on this machine, the CPUs shared with all. One object of each kind is made through the API, so that it
has the defaults and managedFields of the API server; the others are its copies in etcd, each with names, uids and addresses of its own.

**Who follows.** Each in a process of its own with the flags of \`bin/tcpretrans\`, bundled as the product is. Memory is what came on top since it
began to follow; heap is after a forced collection, with what lies in array buffers beside it, RSS is not: followers do not give memory back as the agent does.
A block is the CPU time of the main thread between two timers 2 ms apart;
how late a timer came has in it what other processes took of the CPUs.

${followTable(measured)}

### Goals
${goalsOf(measured)}

### Names of both ends
The index as it is after the lists, HostOwners of this machine with a cgroup for each of the node's 30 pods (found by ${lookUps.cgroupMethod}), conntrack by
${lookUps.conntrack} with its answers remembered. 1,024 connections, µs of CPU an event, median (smallest–largest).

${markdown([["", "µs"], ...looks])}

### Connection tracking
\`test/bench/conntrack-bench.ts\`, in a network namespace of its own.

${markdown([["", "median (smallest–largest)"], ...asks])}

### The agent at rest
\`bin/tcpretrans agent\` with nothing to show or export, against the same API server, a minute after its start: garbage is collected and memory given back. Growth in the
goals is what a row has more than the first. Pages of files are Node's program, of which more is in use with a cluster.

${markdown([["", "RSS MiB", "its own", "pages of files", "peak MiB", "% of a core"], ...rest])}`;
}
