import type { AgentMeasured } from "./agent-bench.ts";
import { formatGoals, formatRows, type Goal, markdown, type Row, type Spread, show } from "./bench-report.ts";
import { AGENT, CAT, CAT_CAUSES } from "./tools.ts";

/** All that is known of the agent's cost. */
export interface AgentCosts extends AgentMeasured {
  /** What pipeline-cost.ts prints: µs an event with each stage added to those before. */
  readonly pipeline: { readonly events: number; readonly us: Readonly<Record<string, Spread>> };
  /** What record-cost.ts prints: µs a record by way and stage. */
  readonly records: Readonly<Record<"ours" | "sdk", Readonly<Record<string, Spread>>>>;
}

const RECORD_STAGES = ["make", "emit", "encode", "gzip", "all"] as const;
const NAN: Spread = { median: Number.NaN, min: Number.NaN, max: Number.NaN };

/** The agent's part of the document, without a heading of its own level. */
export function agentPart(costs: AgentCosts, rows: readonly Row[]): string {
  const { pipeline, records, storm, hot } = costs;
  const stages = Object.entries(pipeline.us).map(([stage, us], index) => [
    `${index === 0 ? "" : "+ "}${stage}`,
    show(us, 2),
  ]);
  const ways = RECORD_STAGES.map((stage) => [
    stage === "all" ? "**from event to compressed bytes**" : STAGE_WORDS[stage],
    show(records.ours[stage] ?? NAN, 2),
    show(records.sdk[stage] ?? NAN, 2),
  ]);
  return `The bundle as \`bin/tcpretrans agent\` starts it, with names of 1,000 pods from a real API server, two of them the storm's ends.

${formatGoals(agentGoals(costs, rows))}

### In the storm
The storm and the measure are those of the tools above. \`cat\` reads the retransmits alone, and then what the agent reads: a kernel stack with each, which tells its
cause on this rung, and the records of the congestion state. "Seen" is told only of who prints each event.

${formatRows(rows)}

### The data path without the kernel
\`test/bench/pipeline-cost.ts\`: the pages of a recorded storm (${pipeline.events} events) in memory, each stage on top of those before, µs of CPU an event.

${markdown([["", "µs"], ...stages])}

### A log record
\`test/bench/record-cost.ts\`: every field told, 256 connections, batches of 512, gzip at level 1 for both, µs of CPU a record. The SDK's way is its logger's
\`emit\` and its serializer; attributes are made of the event in the same way for both.

${markdown([["", "ours", "the SDK's"], ...ways])}

### A long storm
A storm of ${Math.round(storm.perSecond)} retransmits a second with metrics and logs by gRPC: peak ${storm.peakMib.toFixed(0)} MiB, ${storm.restedMib.toFixed(1)} MiB ${REST_WORDS} it.
Of ${storm.kernel} retransmits that the sender's kernel counted the metrics hold ${storm.named}; ${storm.recordsLost} records were lost.

### Where the agent's time goes
One blow under V8's profiler, logs off, share of the busy time: ${hot.map(([name, percent]) => `${name} ${percent.toFixed(1)} %`).join(", ")}.`;
}

const STAGE_WORDS = {
  make: "attributes and body of the event",
  emit: "the record",
  encode: "OTLP",
  gzip: "gzip",
} as const;
const REST_WORDS = "half a minute after";

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
    {
      goal: "storm: at most 120 MiB",
      measured: `${storm.peakMib.toFixed(0)} MiB at ${Math.round(storm.perSecond)} events/s`,
      met: storm.peakMib <= 120,
    },
    {
      goal: "storm of 25,000 events/s: nothing lost",
      measured: `${storm.recordsLost} records; ${storm.named} of ${storm.kernel} retransmits counted, at ${Math.round(storm.perSecond)} events/s`,
      met: storm.named >= storm.kernel && storm.recordsLost === 0 && storm.perSecond >= 25_000,
    },
    { goal: "first event possible within 1 s", measured: `${show(startMs, 0)} ms`, met: startMs.max <= 1000 },
  ];
}
