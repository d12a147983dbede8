/**
 * What the agent costs, with names of a thousand pods: an event in the storm of bench.ts, a log record beside the SDK's,
 * the data path without the kernel, a long storm. Prints the tables and writes them into docs/benchmarks.md.
 * `--rounds=N --seconds=N --long=SECONDS`.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { openTracefs } from "../src/tracefs/mount.ts";
import { measureAgent } from "../test/bench/agent-bench.ts";
import { type AgentCosts, agentGoals, agentPart } from "../test/bench/agent-report.ts";
import {
  formatGoals,
  formatRows,
  type Row,
  type Spread,
  spread,
  summarize,
} from "../test/bench/bench-report.ts";
import { costOverTime } from "../test/bench/cost-over-time.ts";
import { writeMarkedPart, writtenBy } from "../test/bench/marked-part.ts";
import { recordStorm } from "../test/bench/product-costs.ts";
import { type Run, runTool, usPerEvent } from "../test/bench/run-tool.ts";
import { Storm } from "../test/bench/storm.ts";
import { openStormCluster } from "../test/bench/storm-cluster.ts";
import { agentArgs, agentTools } from "../test/bench/tools.ts";
import { NODE_FLAGS } from "./node-flags.ts";

/** As in bench.ts. */
const STORM = { connections: 256, lossPerMille: 300, mtu: 576, rtoMinMs: 2 };
/** Storm that the agent sees before it is measured: until its cost has fallen, as cost-over-time.ts shows it. The others compile little. */
const WARM_UP_SECONDS = 10;
const OTHERS_WARM_UP_SECONDS = 1.5;
const root = join(import.meta.dirname, "..");
const product = join(root, "bin/tcpretrans");
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "4" },
    long: { type: "string", default: "60" },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
const [loadBefore] = loadavg();

if (process.getuid?.() !== 0) {
  console.error("Cannot measure: tracing the kernel and making namespaces needs root");
  process.exit(1);
}
process.chdir(root);
execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
await using cleanup = new AsyncDisposableStack();
const tracefs = cleanup.use(openTracefs({ libc: undefined }));
const scratch = mkdtempSync(join(tmpdir(), "tcpretrans-bench-"));
cleanup.defer(() => rmSync(scratch, { recursive: true }));
const instance = join(tracefs.path, `instances/bench-${process.pid}`);
mkdirSync(instance);
cleanup.defer(() => rmdirSync(instance));
writeFileSync(join(instance, "buffer_size_kb"), "4096"); // the agent's
const cluster = await openStormCluster(cleanup);
const storm = cleanup.use(await Storm.open(STORM));

const rows = await runRounds();
console.log(`\n${formatRows(rows)}\n`);
const costs = await measure();
console.log(formatGoals(agentGoals(costs, rows)));
const when = writtenBy("npm run bench:agent", { args: process.argv.slice(2), loadBefore });
writeMarkedPart(
  "docs/benchmarks.md",
  "npm run bench:agent",
  `${when}.\n\n${agentPart(costs, rows, WARM_UP_SECONDS)}`,
);
console.log("\nWritten to docs/benchmarks.md");

async function runRounds(): Promise<readonly Row[]> {
  const paths = { product, instance, scratch };
  const tools = agentTools(paths, cluster);
  const runs: Run[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const tool of tools) {
      const warmUpSeconds = tool.tracePipe === false ? WARM_UP_SECONDS : OTHERS_WARM_UP_SECONDS;
      const run = await runTool(tool, { storm, seconds, paths, warmUpSeconds });
      runs.push(run);
      console.log(
        `round ${round}: ${run.tool}: ${run.kernel} retransmits, ${usPerEvent(run).toFixed(2)} µs each`,
      );
    }
  }
  return tools.map(({ name }) => summarize(name, runs));
}

async function measure(): Promise<AgentCosts> {
  const file = join(scratch, "storm.tcpretrans");
  await recordStorm(product, file, () => storm.blow(3 * seconds));
  const pipeline = runScript("pipeline-cost.ts", file) as AgentCosts["pipeline"];
  const records = runScript("record-cost.ts") as AgentCosts["records"];
  const measured = await measureAgent({
    ...{ product, scratch, storm, cluster, tracefs: tracefs.path, seconds: Number(values.long) },
    node: [process.execPath, ...NODE_FLAGS, join(root, "dist/tcpretrans.js")],
  });
  const falling = {
    metrics: await costOverTime(product, agentArgs(cluster, "metrics"), storm),
    all: await costOverTime(product, agentArgs(cluster, "all"), storm),
  };
  return { ...measured, pipeline, besideStorm: await pipelineInStorm(file), records, falling };
}

/** The whole path in memory while the storm blows beside it: what caches and cores that others use make of it. */
async function pipelineInStorm(file: string): Promise<Spread> {
  const blowing = storm.blow(10);
  const script = join(root, "test/bench/pipeline-cost.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [...NODE_FLAGS, script, file, "whole"]);
  await blowing;
  const { us } = JSON.parse(stdout) as AgentCosts["pipeline"];
  return Object.values(us)[0] ?? spread([]);
}

function runScript(name: string, ...args: readonly string[]): unknown {
  const script = join(root, "test/bench", name);
  return JSON.parse(execFileSync(process.execPath, [...NODE_FLAGS, script, ...args], { encoding: "utf8" }));
}
