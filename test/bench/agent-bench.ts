import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { type Spread, spread } from "./bench-report.ts";
import { hotFunctions } from "./hot-functions.ts";
import { memoryOf, processCost } from "./process-cost.ts";
import { firstEventMs } from "./product-costs.ts";
import type { Storm } from "./storm.ts";
import type { StormCluster } from "./storm-cluster.ts";
import { agentArgs } from "./tools.ts";

export interface AgentBenchOptions {
  readonly product: string;
  /** How bin/tcpretrans starts Node: its path and flags, and the bundle. */
  readonly node: readonly string[];
  readonly tracefs: string;
  readonly scratch: string;
  readonly storm: Storm;
  readonly cluster: StormCluster;
  /** Of the storm. */
  readonly seconds: number;
}

/** A long storm as the agent counted it, beside what the kernel counted. */
export interface AgentStorm {
  /** RetransSegs of the storm's sender. */
  readonly kernel: number;
  /** In the metrics, under the sender's name. */
  readonly named: number;
  readonly recordsLost: number;
  readonly perSecond: number;
  readonly peakMib: number;
  readonly restedMib: number;
}

export interface AgentMeasured {
  /** As hard as it blows, and held at the rate of the goal. */
  readonly storm: Readonly<Record<"full" | "held", AgentStorm>>;
  /** What of a process's time, in percent, the kernel takes for itself in the storm: that of one that asks it for nothing. */
  readonly takenPercent: Spread;
  readonly startMs: Spread;
  readonly hot: readonly (readonly [name: string, percent: number])[];
}

const SETTLE_SECONDS = 25;
/** The counters are read every 10 s. */
const COUNTED_MS = 12_000;
const PORT = 19_877;
/** The goal is 25,000: the storm takes a while to come to its rate. */
const HELD_PER_SECOND = 26_000;

/** The running agent with a thousand known pods: in a storm, at its start. */
export async function measureAgent(options: AgentBenchOptions): Promise<AgentMeasured> {
  const { product, tracefs, cluster } = options;
  const storm = {
    held: await longStorm(options, { perSecond: HELD_PER_SECOND }),
    full: await longStorm(options),
  };
  const taken: number[] = [];
  for (let i = 0; i < 3; i++) taken.push(await takenPercent(options));
  const starts: number[] = [];
  for (let i = 0; i < 5; i++) starts.push(await firstEventMs(product, tracefs, agentArgs(cluster, "all")));
  const spreads = { takenPercent: spread(taken), startMs: spread(starts) };
  return { storm, ...spreads, hot: await profile(options) };
}

/** The kernel charges a softirq to whom it interrupts. */
async function takenPercent({ storm }: AgentBenchOptions): Promise<number> {
  const blowing = storm.blow(5);
  await sleep(500);
  const script = join(import.meta.dirname, "taken-share.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, "4"]);
  await blowing;
  return Number(stdout);
}

/** The whole agent, metrics and logs by gRPC, in one long storm. */
async function longStorm(
  { product, cluster, storm, seconds }: AgentBenchOptions,
  rate?: { readonly perSecond: number },
): Promise<AgentStorm> {
  const child = spawn(product, agentArgs(cluster, "all", PORT), { stdio: "ignore" });
  try {
    await sleep(SETTLE_SECONDS * 1000);
    const before = await readCounters();
    writeFileSync(`/proc/${child.pid}/clear_refs`, "5"); // the peak begins here
    const { retransmits, seconds: blown } = await storm.blow(seconds, rate);
    const { peakMib } = processCost(child.pid ?? 0);
    await sleep(COUNTED_MS);
    const after = await readCounters();
    await sleep(SETTLE_SECONDS * 1000);
    return {
      kernel: retransmits,
      named: after.named - before.named,
      recordsLost: after.lost - before.lost,
      perSecond: retransmits / blown,
      peakMib,
      restedMib: memoryOf(child.pid ?? 0).resident,
    };
  } finally {
    await stop(child);
  }
}

/** As /metrics tells them. */
async function readCounters(): Promise<Readonly<Record<"named" | "lost", number>>> {
  const text = await (await fetch(`http://127.0.0.1:${PORT}/metrics`)).text();
  const sum = (name: string, having: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) && line.includes(having))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
  return {
    named: sum("tcp_retransmits_total", '"storm-0"'),
    lost: sum("tcpretrans_records_lost_total", ""),
  };
}

/** One blow under V8's profiler, logs off. */
async function profile({ node, scratch, storm, cluster }: AgentBenchOptions) {
  const [program = "", ...args] = node;
  const directory = join(scratch, "agent-profile");
  const profiler = ["--cpu-prof", `--cpu-prof-dir=${directory}`];
  const child = spawn(program, [...profiler, ...args, ...agentArgs(cluster, "metrics")], { stdio: "ignore" });
  await sleep(5000);
  await storm.blow(5);
  await stop(child);
  const [file = ""] = readdirSync(directory);
  return hotFunctions(join(directory, file), 16);
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
}
