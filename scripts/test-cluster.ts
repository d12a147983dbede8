import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { churn, judgeChurn, prepareChurn } from "../test/cluster/churn.ts";
import { type Check, checkTable, formatCheck } from "../test/cluster/report.ts";
import { judgeTakeover, takeOver } from "../test/cluster/takeover.ts";
import { closePaths, endLoss, judgePaths, openPaths, startLoss } from "../test/cluster/test-paths.ts";
import { TrafficLog } from "../test/cluster/traffic-log.ts";
import { Watcher } from "../test/cluster/watcher.ts";
import { startCluster } from "../test/lab/cluster/cluster.ts";
import { compareHostStates, readHostState } from "../test/lab/cluster/host-state.ts";
import { NODE_A, PORTS } from "../test/lab/cluster/plan.ts";
import { labDir } from "../test/lab/lab-dir.ts";
import { run } from "../test/lab/run.ts";

const USAGE = `Runs tcpretrans on both nodes of a real cluster: npm run test:cluster -- [options]`;

/** The kernels' last timers and the product's last tick, emulated. */
const SETTLE_MS = 4_000;
/** Enough for a few dozen retransmits on each end of each path. */
const PATHS_MS = 40_000;

const { values } = parseArgs({
  options: { help: { type: "boolean", short: "h", default: false } },
});

process.exitCode = values.help ? help() : await main();

function help(): number {
  console.log(USAGE);
  return 0;
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error("Cannot start a cluster: not root");
  const started = performance.now();
  const say = (text: string) =>
    console.log(`${((performance.now() - started) / 1000).toFixed(1)} s: ${text}`);
  await run("npm", ["run", "--silent", "build"], { cwd: join(import.meta.dirname, "..") });
  const dir = labDir(process.env);
  const before = await readHostState(dir);
  const checks = await testCluster(dir, say);
  const left = compareHostStates(before, await readHostState(dir));
  checks.push({
    subject: "the cluster leaves nothing behind",
    column: "",
    problem: left.join("; ") || undefined,
  });
  for (const check of checks) console.log(formatCheck(check));
  console.log(`\n${checkTable(checks)}\n`);
  const failed = checks.filter(({ problem }) => problem !== undefined).length;
  console.log(`Took ${Math.round((performance.now() - started) / 1000)} s`);
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  return failed === 0 && checks.length > 0 ? 0 : 1;
}

/** Everything happens side by side on one boot of the cluster. */
async function testCluster(dir: string, say: (text: string) => void): Promise<Check[]> {
  const cluster = await startCluster(dir, say);
  const down = once(async () => {
    await cluster.stop();
    say("the cluster is down");
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void down().finally(() => process.exit(1)));
  try {
    await using log = await TrafficLog.listen(NODE_A.address.v4, PORTS.report);
    say("the cluster is up");
    const starting = [cluster.a, cluster.b].map((place) => Watcher.start(cluster, place));
    await Promise.all([openPaths(cluster, log), prepareChurn(cluster)]);
    say("every path is open");
    const watchers = await Promise.all(starting);
    say("both watchers are ready");
    await startLoss(cluster);
    const faults = await Promise.all([
      attempt("the paths", () => sleep(PATHS_MS)),
      attempt("the takeover", () => takeOver(cluster)),
    ]);
    say("taken over");
    await closePaths(cluster);
    // Not beside the takeover: churning pods would take the address that is to be taken over.
    faults.push(await attempt("the churn", () => churn(cluster, log)));
    say("churned");
    await endLoss(cluster);
    await sleep(SETTLE_MS);
    await Promise.all(watchers.map((watcher) => watcher.stop()));
    say("both watchers have ended");
    await writeFile(
      join(cluster.dir, "traffic.json"),
      log.reports.map((report) => `${JSON.stringify(report)}\n`).join(""),
    );
    const checks = [judgePaths, judgeTakeover, judgeChurn].flatMap((judge) => judge(log, watchers));
    return [...checks, ...faults.filter((fault) => fault !== undefined)];
  } finally {
    await down();
  }
}

/** What did not run to its end is one failed check; the others go on. */
async function attempt(subject: string, run: () => Promise<unknown>): Promise<Check | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return { subject, column: "", problem: error instanceof Error ? error.message : String(error) };
  }
}

function once(step: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= step());
}
