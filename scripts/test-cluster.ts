/**
 * tcpretrans on both nodes of a real cluster, and its client against API servers of their own.
 * Ends with one line `N passed, N failed`.
 */
import { globSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run as runTests } from "node:test";
import { spec } from "node:test/reporters";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { churn, judgeChurn, prepareChurn, type Told } from "../test/cluster/churn.ts";
import { testLife } from "../test/cluster/life.ts";
import type { NodeWatch } from "../test/cluster/node-watch.ts";
import { OutageTest } from "../test/cluster/outage.ts";
import { type Check, checkTable, formatCheck } from "../test/cluster/report.ts";
import { testSharedChart } from "../test/cluster/shared-chart.ts";
import { testSharedKernel } from "../test/cluster/shared-kernel.ts";
import { judgeTakeover, takeOver } from "../test/cluster/takeover.ts";
import { AgentTest } from "../test/cluster/test-agent.ts";
import { testChart } from "../test/cluster/test-chart.ts";
import { closePaths, endLoss, judgePaths, openPaths, startLoss } from "../test/cluster/test-paths.ts";
import { TrafficLog } from "../test/cluster/traffic-log.ts";
import { Watcher } from "../test/cluster/watcher.ts";
import { type Cluster, startCluster } from "../test/lab/cluster/cluster.ts";
import { goProgram, goTools } from "../test/lab/cluster/go-tools.ts";
import { compareHostStates, readHostState } from "../test/lab/cluster/host-state.ts";
import { endLossOnNode } from "../test/lab/cluster/loss.ts";
import { oldEtcd } from "../test/lab/cluster/old-etcd.ts";
import { NODE_A, PORTS } from "../test/lab/cluster/plan.ts";
import { labDir } from "../test/lab/lab-dir.ts";
import { run } from "../test/lab/run.ts";

const GROUPS = [
  "api",
  "lab",
  "ship",
  "chart",
  "life",
  "paths",
  "takeover",
  "agent",
  "churn",
  "outage",
  "shared-kernel",
  "shared-chart",
] as const;
type Group = (typeof GROUPS)[number];

/** They install the chart; the other groups of the cluster run the program itself. */
const WITH_IMAGE: readonly Group[] = ["chart", "life", "shared-chart"];

/** Files of tests that need no cluster, one after the other. */
const FILES: Readonly<Partial<Record<Group, string>>> = {
  api: "test/cluster/*.cluster.ts",
  lab: "test/lab/*/*.lab.ts",
  ship: "test/{cluster/*.ship,rules/*.test,dashboards/*.test}.ts",
};

/** Where files of tests find the programs that they run. */
const PROGRAMS = {
  HELM3: "helm3",
  HELM4: "helm4",
  OTELCOL: "otelcol",
  PROMETHEUS: "prometheus",
  PROMTOOL: "promtool",
} as const;

const USAGE = `Runs tcpretrans on both nodes of a real cluster: npm run test:cluster -- [options]
  --group NAME  only this group of checks, repeatable: ${GROUPS.join(" ")}
LAB_BIN names a directory that has the cluster's programs; else they are built once (about 12 minutes).`;

/** The kernels' last timers and the product's last tick, emulated. */
const SETTLE_MS = 4_000;
/** Enough for a few dozen retransmits on each end of each path. */
const PATHS_MS = 30_000;

const { values } = parseArgs({
  options: {
    group: { type: "string", multiple: true, default: [...GROUPS] },
    help: { type: "boolean", short: "h", default: false },
  },
});
type Say = (text: string) => void;

process.chdir(join(import.meta.dirname, ".."));
process.exitCode = values.help ? help() : await main();

function help(): number {
  console.log(USAGE);
  return 0;
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error("Cannot start a cluster: not root");
  const started = performance.now();
  const say: Say = (text) => console.log(`${((performance.now() - started) / 1000).toFixed(1)} s: ${text}`);
  const unknown = values.group.find((name) => !GROUPS.some((group) => group === name));
  if (unknown !== undefined) throw new Error(`Cannot choose a group: there is no ${unknown}`);
  const groups = GROUPS.filter((group) => values.group.includes(group));
  await run("npm", ["run", "--silent", "build"]);
  const dir = labDir(process.env);
  const before = await readHostState(dir);
  const checks: Check[] = [];
  const inCluster = groups.filter((group) => FILES[group] === undefined);
  if (inCluster.length > 0) checks.push(...(await testCluster(dir, inCluster, say)));
  const files = groups.flatMap((group) => globSync(FILES[group] ?? []).sort());
  const inFiles = files.length > 0 ? await testFiles(files, { dir, say }) : { passed: 0, failed: 0 };
  const left = compareHostStates(before, await readHostState(dir));
  const problem = left.length === 0 ? undefined : left.slice(0, 20).join("; ");
  checks.push({ subject: "the tier leaves nothing behind", column: "", problem });
  for (const check of checks) console.log(formatCheck(check));
  console.log(`\n${checkTable(checks)}\n`);
  const failed = checks.filter((check) => check.problem !== undefined).length + inFiles.failed;
  const passed = checks.length + inFiles.passed + inFiles.failed - failed;
  say("done");
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** On one boot of the cluster, side by side where they do not disturb each other. */
async function testCluster(dir: string, groups: readonly Group[], say: Say): Promise<readonly Check[]> {
  const archives = groups.some((group) => WITH_IMAGE.includes(group)) ? [await findImage(dir)] : [];
  const cluster = await startCluster(dir, say, { archives });
  const down = once(async () => {
    // Of the loss only what falls on this machine's own node outlives the cluster.
    await endLossOnNode(cluster.a.runner).catch((error: unknown) => say(String(error)));
    await cluster.stop();
    say("the cluster is down");
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void down().finally(() => process.exit(1)));
  const checks: Check[] = [];
  const attempt = async (group: Group, step: () => Promise<unknown>) => {
    if (!groups.includes(group)) return;
    try {
      await step();
      say(`${group} has run`);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      checks.push({ subject: `${group} runs to its end`, column: "", problem });
    }
  };
  try {
    await using log = await TrafficLog.listen(NODE_A.address.v4, PORTS.report);
    say("the cluster is up");
    for (const archive of archives) {
      const options = { labDir: dir, archive, say };
      await attempt("chart", async () => checks.push(...(await testChart(cluster, log, options))));
      await attempt("life", async () => checks.push(...(await testLife(cluster, log, options))));
    }
    // Nodes that share a kernel stay, and would take the time of the others: they come last.
    const shareChart = async () => {
      for (const archive of archives)
        await attempt("shared-chart", async () =>
          checks.push(...(await testSharedChart(cluster, log, { labDir: dir, archive, say }))),
        );
    };
    if (groups.every((group) => WITH_IMAGE.includes(group))) {
      await shareChart();
      return checks;
    }
    const starting = startWatches(cluster, groups.includes("agent"), { labDir: dir, say });
    starting.catch(() => {}); // is told below
    const workloads = await openPaths(cluster, log);
    if (groups.includes("churn")) await prepareChurn(cluster);
    await using outage = groups.includes("outage") ? await OutageTest.start(cluster, log) : undefined;
    const { watchers, agent } = await starting;
    await using _ = agent;
    say("both nodes are watched");
    await agent?.begin();
    await startLoss(cluster);
    checks.push(...(await Promise.all(watchers.map(namesCome))));
    await attempt("outage", async () => outage?.begin());
    say("both watchers have names");
    await Promise.all([
      attempt("paths", () => sleep(PATHS_MS)),
      attempt("takeover", () => takeOver(cluster)),
      attempt("agent", async () => agent?.disturb(workloads)),
    ]);
    const pathsEnd = Date.now();
    await attempt("agent", async () => {
      await endLoss(cluster);
      await sleep(SETTLE_MS);
      await agent?.compare();
      await startLoss(cluster);
    });
    await closePaths(cluster);
    await attempt("agent", async () => agent?.compareEnds());
    // Not beside the takeover: churning pods would take the address that is to be taken over.
    let told: Told = new Map();
    await attempt("churn", async () => {
      told = await churn(cluster, log);
    });
    const churnEnd = Date.now();
    await attempt("outage", async () => outage?.run(watchers));
    await endLoss(cluster);
    await sleep(SETTLE_MS);
    await Promise.all(watchers.map((watcher) => watcher.stop()));
    await outage?.stop();
    say("the watchers have ended");
    await attempt("agent", async () => agent?.compareRecords());
    checks.push(...(agent?.checks ?? []));
    await attempt("shared-kernel", async () => checks.push(...(await testSharedKernel(cluster, log))));
    await shareChart();
    const lines = log.reports.map((report) => `${JSON.stringify(report)}\n`);
    await writeFile(join(cluster.dir, "traffic.json"), lines.join(""));
    if (groups.includes("paths")) checks.push(...judgePaths(log, watchers, pathsEnd));
    if (groups.includes("takeover")) checks.push(...judgeTakeover(log, watchers));
    if (groups.includes("churn")) checks.push(...judgeChurn(log, watchers, { told, untilMs: churnEnd }));
    checks.push(...(outage?.judge(watchers) ?? []));
  } finally {
    await down();
  }
  return checks;
}

/** The agent of each node if it is asked for, and on node-a a trace beside it; else a trace of each node. */
async function startWatches(
  cluster: Cluster,
  withAgent: boolean,
  options: { readonly labDir: string; readonly say: Say },
): Promise<{ readonly watchers: readonly NodeWatch[]; readonly agent: AgentTest | undefined }> {
  const { a, b } = cluster;
  if (!withAgent)
    return {
      watchers: await Promise.all([a, b].map((place) => Watcher.start(cluster, place))),
      agent: undefined,
    };
  const [trace, agent] = await Promise.all([Watcher.start(cluster, a), AgentTest.start(cluster, options)]);
  return { watchers: [trace, ...agent.nodes], agent };
}

/** A watcher that has been started names what it sees soon; emulated, later. */
async function namesCome(watcher: NodeWatch): Promise<Check> {
  const { rung } = watcher.place;
  const seconds = await watcher.awaitNames();
  const shown = `${seconds.toFixed(1)} s`;
  const problem = seconds > (rung === "kprobe" ? 120 : 20) ? shown : undefined;
  return { subject: "names after the first loss", column: rung, problem, shown };
}

/** Runs files of tests, one after the other. */
async function testFiles(
  files: readonly string[],
  { dir, say }: { readonly dir: string; readonly say: Say },
): Promise<{ passed: number; failed: number }> {
  process.env["LAB_BIN"] = await goTools(dir, say);
  process.env["LAB_ETCD34"] = dirname(await oldEtcd(dir));
  if (files.some((file) => !file.includes(".cluster."))) await findPrograms(dir, say);
  if (files.some((file) => file.includes("image.ship"))) await findImage(dir);
  const counts = { passed: 0, failed: 0 };
  const stream = runTests({
    files: [...files],
    concurrency: false,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  stream.on("test:pass", ({ details }) => void (details.type !== "suite" && counts.passed++));
  stream.on("test:fail", ({ details }) => void (details.type !== "suite" && counts.failed++));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.compose(spec).on("end", resolve).on("error", reject).pipe(process.stdout, { end: false });
  await promise;
  return counts;
}

async function findPrograms(dir: string, say: Say): Promise<void> {
  for (const [variable, program] of Object.entries(PROGRAMS))
    process.env[variable] ??= await goProgram(dir, program, say);
}

/** The agent's image: IMAGE_ARCHIVE, or one that is built now. */
async function findImage(dir: string): Promise<string> {
  const given = process.env["IMAGE_ARCHIVE"];
  if (given !== undefined) return given;
  const archive = join(dir, "image", "agent.tar");
  await run(process.execPath, ["scripts/image.ts", "--once", "--output", archive]);
  process.env["IMAGE_ARCHIVE"] = archive;
  return archive;
}

function once(step: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= step());
}
