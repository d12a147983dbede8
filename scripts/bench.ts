/**
 * Every tool on the same storm of retransmits, one after the other, in rounds; then what the product alone costs. The agent
 * has a program of its own, bench-agent.ts. Prints the tables and writes them into docs/benchmarks.md. `--rounds=N --seconds=N`.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openTracefs } from "../src/tracefs/mount.ts";
import {
  formatGoals,
  formatRows,
  type Goal,
  type Row,
  show,
  spread,
  summarize,
} from "../test/bench/bench-report.ts";
import { hotFunctions } from "../test/bench/hot-functions.ts";
import { writeMarkedPart, writtenBy } from "../test/bench/marked-part.ts";
import { firstEventMs, idleCost, recordStorm, replaySpeed } from "../test/bench/product-costs.ts";
import { type Run, runTool, usPerEvent } from "../test/bench/run-tool.ts";
import { Storm } from "../test/bench/storm.ts";
import { allTools, type Tool } from "../test/bench/tools.ts";
import { NODE_FLAGS } from "./node-flags.ts";

/** Storm that each tool sees before it is measured. */
const WARM_UP_SECONDS = 1.5;
const STORM = { connections: 256, lossPerMille: 300, mtu: 576, rtoMinMs: 2 };
/** What sweep-cost.ts measures. */
const SWEEPS: Readonly<Record<string, string>> = {
  "node 2": "a read of 2 by node:fs",
  "read 2": "a read of 2 by node:ffi",
  "poll 2": "poll(2) of 2 by node:ffi",
  "node 128": "a read of 128 by node:fs",
  "read 128": "a read of 128 by node:ffi",
  "poll 128": "poll(2) of 128 by node:ffi",
};

const root = import.meta.dirname.replace(/\/scripts$/, "");
const product = join(root, "bin/tcpretrans");
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "4" } },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];

const [loadBefore] = loadavg();

if (process.getuid?.() !== 0) {
  console.error("Cannot measure: tracing the kernel and making namespaces needs root");
  process.exit(1);
}
process.chdir(root);
execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
using tracefs = openTracefs({ libc: undefined });
using cleanup = new DisposableStack();
const scratch = mkdtempSync(join(tmpdir(), "tcpretrans-bench-"));
cleanup.defer(() => rmSync(scratch, { recursive: true }));
const instance = join(tracefs.path, `instances/bench-${process.pid}`);
mkdirSync(instance);
cleanup.defer(() => rmdirSync(instance));
writeFileSync(join(instance, "buffer_size_kb"), "2048");
const storm = cleanup.use(await Storm.open(STORM));

const format = readFileSync(join(tracefs.path, "events/tcp/tcp_retransmit_skb/format"), "utf8");
const paths = { product, instance, scratch };
const tools = allTools(paths, format.includes("int err;"));
const present = tools.filter(({ program }) => isInstalled(program));
const runs = await runRounds(present);
const rows = present.map(({ name }) => summarize(name, runs));
console.log(`\n${formatRows(rows)}\n`);

const enough = await findBufferSize();
const more = await measureProduct();
const goals = compareWithGoals(rows, more);
console.log(formatGoals(goals));
const profile = await profileStorm();
writeMarkedPart("docs/benchmarks.md", "npm run bench", formatDocument());
console.log("\nWritten to docs/benchmarks.md");

async function runRounds(tools: readonly Tool[]): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const tool of tools) {
      const run = await runTool(tool, { storm, seconds, paths, warmUpSeconds: WARM_UP_SECONDS });
      runs.push(run);
      const share = run.seenPercent > 0 ? `${run.seenPercent.toFixed(2)} % seen` : "";
      const us = usPerEvent(run).toFixed(2);
      console.log(
        `round ${round}: ${run.tool}: ${run.kernel} retransmits, ${us} µs each, ${share} ${run.words}`,
      );
    }
  }
  return runs;
}

/** The smallest ring buffer tried, in KiB a CPU, from which nothing was lost; undefined when the largest was too small. */
async function findBufferSize(): Promise<number | undefined> {
  for (const size of [2048, 4096, 8192, 16_384, 32_768, 65_536]) {
    const [tool] = present;
    if (tool === undefined) return undefined;
    const sized = {
      ...tool,
      name: `${tool.name} --buffer-size=${size}`,
      command: `${tool.command} --buffer-size=${size}`,
    };
    const { words, perSecond } = await runTool(sized, {
      storm,
      seconds,
      paths,
      warmUpSeconds: WARM_UP_SECONDS,
    });
    console.log(`${sized.name}: ${words || "nothing lost"} at ${Math.round(perSecond)} events/s`);
    if (words === "") return size;
  }
  return undefined;
}

async function measureProduct() {
  const file = join(scratch, "storm.tcpretrans");
  const recorded = await recordStorm(product, file, () => storm.blow(3 * seconds));
  const decode = runScript("decode-only.ts", file) as { events: number; records: number; cpuUs: number };
  const replay = replaySpeed(product, file);
  const starts: number[] = [];
  for (let i = 0; i < 5; i++) starts.push(await firstEventMs(product, tracefs.path));
  const [withFfi, without] = await Promise.all(
    [true, false].map((ffi) => idleCost(product, { seconds: 20, ffi })),
  );
  const sweep = runScript("sweep-cost.ts") as Readonly<Record<string, number>>;
  return { recorded, decode, replay, start: spread(starts), idle: { withFfi, without }, sweep };
}

function compareWithGoals(
  rows: readonly Row[],
  { decode, replay, start, idle }: typeof more,
): readonly Goal[] {
  const row = (name: string) => rows.find(({ tool }) => tool === name);
  const own = row("tcpretrans");
  const [printed, bpftrace] = [own?.usPerEvent.median ?? Number.NaN, row("bpftrace")?.usPerEvent.median];
  const decodeUs = decode.cpuUs / decode.events;
  const seen = own?.seenPercent ?? spread([]);
  const [percent, mib] = [idle.withFfi?.percent ?? Number.NaN, idle.withFfi?.residentMib ?? Number.NaN];
  return [
    { goal: "at most 5 µs of CPU a printed line", measured: `${printed.toFixed(2)} µs`, met: printed <= 5 },
    {
      goal: "less than half of bpftrace's CPU",
      measured: bpftrace === undefined ? "not installed" : `${(printed / bpftrace).toFixed(2)} of it`,
      met: bpftrace !== undefined && printed < bpftrace / 2,
    },
    {
      goal: "decode and pair: at most 1.5 µs an event",
      measured: `${decodeUs.toFixed(2)} µs`,
      met: decodeUs <= 1.5,
    },
    {
      goal: "nothing lost at the highest rate",
      measured: `${seen.min.toFixed(2)} % seen or more, at ${show(own?.perSecond ?? spread([]), 0)} events/s`,
      met: (own?.words.length ?? 1) === 0 && seen.min >= 100,
    },
    {
      goal: "replay: at least 500,000 events/s on one core",
      measured: `${Math.round(replay.perSecond)} events/s`,
      met: replay.perSecond >= 500_000,
    },
    { goal: "idle: at most 0.3 % of a core", measured: `${percent.toFixed(2)} %`, met: percent <= 0.3 },
    { goal: "idle: at most 60 MiB", measured: `${mib.toFixed(1)} MiB`, met: mib <= 60 },
    { goal: "first event possible within 1 s", measured: `${show(start, 0)} ms`, met: start.max <= 1000 },
  ];
}

/** One more blow under V8's profiler: where the time of the printing tool goes. */
async function profileStorm() {
  const main = join(root, "dist/tcpretrans.js");
  const profiler = ["--cpu-prof", `--cpu-prof-dir=${scratch}/profile`];
  const child = spawn(process.execPath, [...NODE_FLAGS, ...profiler, main, "-l"], { stdio: "ignore" });
  await storm.blow(seconds);
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
  const [file] = readdirSync(join(scratch, "profile"));
  return hotFunctions(join(scratch, "profile", file ?? ""), 14);
}

function runScript(name: string, ...args: readonly string[]): unknown {
  const script = join(root, "test/bench", name);
  return JSON.parse(execFileSync(process.execPath, [...NODE_FLAGS, script, ...args], { encoding: "utf8" }));
}

function isInstalled(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function versionOf(program: string, flag: string): string {
  if (!isInstalled(program)) return `${program}: not installed`;
  return (
    execFileSync(program, [flag], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).split("\n")[0] ??
    ""
  );
}

function formatDocument(): string {
  const { recorded, decode, replay, start, idle, sweep } = more;
  const words = rows.flatMap(({ tool, words }) => words.map((word) => `${tool}: ${word}`));
  const us = (value: number) => value.toFixed(2);
  const when = writtenBy("npm run bench", { args: process.argv.slice(2), loadBefore });
  const versions = [
    versionOf("bpftrace", "--version"),
    versionOf("perf", "--version"),
    versionOf("awk", "-Wversion"),
  ];
  return `${when}; ${versions.join("; ")}.

**The storm.** Two network namespaces and a veth between them, MTU ${STORM.mtu}, one packet a segment (gso_max_segs 1), so that an
event is one in RetransSegs. ${STORM.connections} connections (reno, rto_min ${STORM.rtoMinMs} ms) send as fast as they can; nftables drops
${STORM.lossPerMille / 10} % of the data packets on arrival. Sender, receiver, both ends' TCP and the tool share the CPUs. These values made
the highest rate of retransmits among those tried on the development machine.

**The measure.** Tools run one after the other, ${seconds} s of storm each, in ${rounds} rounds; median (smallest–largest). CPU is user and
system time of the tool's processes from before the storm until all is written, start and end left out, divided by the
retransmits of the storm that it showed. The kernel charges the network's softirqs to whomever they interrupt, so each
tool carries some of the storm itself, more on a busy machine: ratios within one run are what counts. Before it each tool sees ${WARM_UP_SECONDS} s of storm that is not measured, so that compilers have compiled. "Seen" is what was
shown of what the kernel sent (RetransSegs of the sender's namespace). All write to a file.

${formatRows(rows)}

${words.length === 0 ? "tcpretrans lost nothing." : words.map((word) => `- ${word}`).join("\n")}

One more run for each size of ring buffer, from 2048 KiB a CPU on: ${enough === undefined ? "each lost something" : `the first that lost nothing is ${enough} KiB`}.

\`tcpretrans --summary\` decodes and pairs as well but prints no lines. \`perf trace\` shows no addresses here, only
pointers to them. Ring buffers: 4 MiB a CPU for tcpretrans, its default, and for bpftrace (256 KiB by default), 2 MiB for trace_pipe, perf's own default.
bpftrace writes each line by itself unless told not to (\`-B full\`); tcpretrans writes what one look has brought.
tcpretrans reads ${(decode.records / decode.events).toFixed(1)} records for each event here: on the tracepoint rung a kernel stack follows each retransmit, and
records of the congestion state tell fast retransmits from those of slow start; the other tools read one record.

## Goals
${formatGoals(goals)}

## The product alone
| | |
|---|---:|
| decode and pair, in memory | ${us(decode.cpuUs / decode.events)} µs an event, ${us(decode.cpuUs / decode.records)} µs a record (${decode.events} events, ${decode.records} records) |
| \`record\` | ${us((recorded.cpuSeconds * 1e6) / recorded.retransmits)} µs an event, peak ${recorded.peakMib.toFixed(0)} MiB |
| \`replay\` | ${Math.round(replay.perSecond)} events/s (${replay.lines} in ${us(replay.seconds)} s, start included) |
| probes in place after | ${show(start, 0)} ms |
| idle with node:ffi | ${us(idle.withFfi?.percent ?? Number.NaN)} % of a core, ${idle.withFfi?.residentMib.toFixed(1)} MiB (${idle.withFfi?.lines} retransmits of others came meanwhile) |
| idle without | ${us(idle.without?.percent ?? Number.NaN)} % of a core, ${idle.without?.residentMib.toFixed(1)} MiB (${idle.without?.lines}) |
${Object.entries(sweep)
  .map(([what, value]) => `| one look at empty CPUs: ${SWEEPS[what] ?? what} | ${us(value)} µs |`)
  .join("\n")}

## Where the time of a printed line goes
One blow under V8's profiler, share of the busy time: ${profile.map(([name, percent]) => `${name} ${percent.toFixed(1)} %`).join(", ")}.`;
}
