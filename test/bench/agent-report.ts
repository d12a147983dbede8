import type { AgentMeasured, AgentStorm } from "./agent-bench.ts";
import { formatGoals, formatRows, type Goal, markdown, type Row, type Spread, show } from "./bench-report.ts";
import type { CostWindow } from "./cost-over-time.ts";
import { AGENT, CAT, CAT_CAUSES } from "./tools.ts";

/** All that is known of the agent's cost. */
export interface AgentCosts extends AgentMeasured {
  /** What pipeline-cost.ts prints: µs an event with each stage added to those before. */
  readonly pipeline: { readonly events: number; readonly us: Readonly<Record<string, Spread>> };
  /** The last of those stages while the storm blows beside it. */
  readonly besideStorm: Spread;
  /** The agent from its first event on, without log records and with them. */
  readonly falling: Readonly<Record<"metrics" | "all", readonly CostWindow[]>>;
  /** What record-cost.ts prints: µs a record by way and stage. */
  readonly records: Readonly<Record<"ours" | "sdk", Readonly<Record<string, Spread>>>>;
}

const RECORD_STAGES = ["make", "emit", "encode", "gzip", "all"] as const;
const NAN: Spread = { median: Number.NaN, min: Number.NaN, max: Number.NaN };

/** The agent's part of the document, without a heading of its own level. */
export function agentPart(costs: AgentCosts, rows: readonly Row[], warmUpSeconds: number): string {
  const { pipeline, records, storm, hot, takenPercent, besideStorm, falling } = costs;
  const ways = RECORD_STAGES.map((stage) => [
    stage === "all" ? "**from event to compressed bytes**" : STAGE_WORDS[stage],
    show(records.ours[stage] ?? NAN, 2),
    show(records.sdk[stage] ?? NAN, 2),
  ]);
  return `The bundle as \`bin/tcpretrans agent\` starts it, with names of 1,000 pods from a real API server, two of them the storm's ends.

${formatGoals(agentGoals(costs, rows))}

### In the storm
The storm and the measure are those of the tools above, but for ${warmUpSeconds} s of storm before the agent is measured: it runs for weeks, and V8 compiles what has run often, and again
what has run more often ("How the cost falls"). \`cat\` reads the retransmits alone, and then what the agent reads: a kernel stack with each, which tells its
cause on this rung, and the records of the congestion state. The last reads the pages of those records as the agent does and looks at none: what the kernel and Node
take before an event is one. "Seen" is told only of who prints each event.

${formatRows(rows)}

Of the time of an endless loop that asks the kernel for nothing, the kernel took ${show(takenPercent, 0)} % meanwhile, for the network's softirqs above all; as much of everyone's
time, at least, is not their own work. Most of it is in "user": a process's time is sampled at the timer's tick, and a softirq runs behind the sample.

### How the cost falls
A fresh agent in one storm, CPU µs an event from stretch to stretch (\`test/bench/cost-over-time.ts\`).

${markdown([["", ...falling.metrics.map(({ fromSeconds, untilSeconds }) => `${fromSeconds}–${untilSeconds} s`)], fallingCells("metrics", falling.metrics), fallingCells("metrics and logs by gRPC", falling.all)])}

### The data path without the kernel
\`test/bench/pipeline-cost.ts\`: the pages of a recorded storm (${pipeline.events} events) in memory, each stage on top of those before, µs of CPU an event.

${markdown([["", "µs"], ...stageRows(pipeline.us), ["the whole while the storm blows beside it", show(besideStorm, 2)]])}

### A log record
\`test/bench/record-cost.ts\`: every field told, 256 connections, batches of 512, gzip at level 1 for both, µs of CPU a record. The SDK's way is its logger's
\`emit\` and its serializer; attributes are made of the event in the same way for both.

${markdown([["", "ours", "the SDK's"], ...ways])}

### A long storm
Two long storms with metrics and logs by gRPC: held at the goal's rate, and as hard as it blows.

${markdown([STORM_HEAD, ...[storm.held, storm.full].map(stormCells)])}

### Where the agent's time goes
One blow under V8's profiler, logs off, share of the busy time: ${hot.map(([name, percent]) => `${name} ${percent.toFixed(1)} %`).join(", ")}.`;
}

/** A row for each stage on top of those before. */
export function stageRows(us: AgentCosts["pipeline"]["us"]): readonly (readonly string[])[] {
  return Object.entries(us).map(([stage, spread], i) => [`${i === 0 ? "" : "+ "}${stage}`, show(spread, 2)]);
}

function fallingCells(what: string, windows: readonly CostWindow[]): readonly string[] {
  return [what, ...windows.map(({ usPerEvent }) => usPerEvent.toFixed(2))];
}

const STORM_HEAD = [
  "events/s",
  "peak MiB",
  "MiB half a minute after",
  "retransmits that the kernel counted",
  "in the metrics",
  "records lost",
];

function stormCells({
  perSecond,
  peakMib,
  restedMib,
  kernel,
  named,
  recordsLost,
}: AgentStorm): readonly string[] {
  const rate = `${Math.round(perSecond)}`;
  return [rate, peakMib.toFixed(0), restedMib.toFixed(1), `${kernel}`, `${named}`, `${recordsLost}`];
}

const STAGE_WORDS = {
  make: "attributes and body of the event",
  emit: "the record",
  encode: "OTLP",
  gzip: "gzip",
} as const;

/** The agent's goals, and what was measured. */
export function agentGoals(
  { pipeline, records, storm, startMs }: AgentCosts,
  rows: readonly Row[],
): readonly Goal[] {
  const us = (tool: string) => rows.find((row) => row.tool === tool)?.usPerEvent.median ?? Number.NaN;
  const [agent, cat, catCauses] = [us(AGENT), us(CAT), us(CAT_CAUSES)];
  const path = Object.values(pipeline.us).at(-1)?.median ?? Number.NaN;
  const [ours = Number.NaN, sdk = Number.NaN] = [records.ours["all"]?.median, records.sdk["all"]?.median];
  return [
    {
      goal: "kernel record to metric: at most 2 µs an event",
      measured: `${agent.toFixed(2)} µs`,
      met: agent <= 2,
    },
    {
      goal: "the same at least 4 times cheaper than `cat trace_pipe`",
      measured: `${(cat / agent).toFixed(2)} times`,
      met: cat / agent >= 4,
    },
    {
      goal: "the same, `cat` reading the records that the agent reads",
      measured: `${(catCauses / agent).toFixed(2)} times`,
      met: catCauses / agent >= 4,
    },
    {
      goal: "decode, pair, name, count: at least 500,000 events/s on one core",
      measured: `${Math.round(1e6 / path)} events/s`,
      met: path <= 2,
    },
    {
      goal: "log record: at most half of the SDK's emit and serializer",
      measured: `${ours.toFixed(1)} of ${sdk.toFixed(1)} µs, ${(ours / sdk).toFixed(2)} of it`,
      met: ours <= sdk / 2,
    },
    ...[storm.held, storm.full].flatMap(stormGoals),
    { goal: "first event possible within 1 s", measured: `${show(startMs, 0)} ms`, met: startMs.max <= 1000 },
  ];
}

function stormGoals({ perSecond, peakMib, named, kernel, recordsLost }: AgentStorm): readonly Goal[] {
  const rate = `${Math.round(perSecond)} events/s`;
  return [
    { goal: `storm of ${rate}: at most 120 MiB`, measured: `${peakMib.toFixed(0)} MiB`, met: peakMib <= 120 },
    {
      goal: `storm of ${rate}: nothing lost`,
      measured: `${recordsLost} records; ${named} of ${kernel} retransmits counted`,
      met: named >= kernel && recordsLost === 0,
    },
  ];
}
