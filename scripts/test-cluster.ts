import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Check, checkTable, formatCheck } from "../test/cluster/report.ts";
import { judgePaths, losePaths, openPaths } from "../test/cluster/test-paths.ts";
import { TrafficLog } from "../test/cluster/traffic-log.ts";
import { Watcher } from "../test/cluster/watcher.ts";
import { startCluster } from "../test/lab/cluster/cluster.ts";
import { NODE_A, PORTS } from "../test/lab/cluster/plan.ts";
import { labDir } from "../test/lab/lab-dir.ts";
import { run } from "../test/lab/run.ts";

const USAGE = `Runs tcpretrans on both nodes of a real cluster: npm run test:cluster -- [options]`;

/** The kernels' last timers and the product's last tick, emulated. */
const SETTLE_MS = 4_000;

const { values } = parseArgs({
  options: { help: { type: "boolean", short: "h", default: false } },
});

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
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
  const checks: Check[] = [];
  const cluster = await startCluster(labDir(process.env), say);
  try {
    await using log = await TrafficLog.listen(NODE_A.address.v4, PORTS.report);
    say("the cluster is up");
    const starting = [cluster.a, cluster.b].map((place) => Watcher.start(cluster, place));
    await openPaths(cluster, log);
    say("every path is open");
    const watchers = await Promise.all(starting);
    say("both watchers are ready");
    await losePaths(cluster);
    await sleep(SETTLE_MS);
    await Promise.all(watchers.map((watcher) => watcher.stop()));
    checks.push(...judgePaths(log, watchers));
  } finally {
    await cluster.stop();
    say("the cluster is down");
  }
  for (const check of checks) console.log(formatCheck(check));
  console.log(`\n${checkTable(checks)}\n`);
  const failed = checks.filter(({ problem }) => problem !== undefined).length;
  console.log(`Took ${Math.round((performance.now() - started) / 1000)} s`);
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  return failed === 0 && checks.length > 0 ? 0 : 1;
}
