/**
 * What the agent takes while nothing happens, with names of a thousand pods. Prints the table and writes it into
 * docs/benchmarks.md. `--seconds=N --settle=SECONDS`.
 */
import { execFileSync } from "node:child_process";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { agentCost } from "../test/bench/agent-cost.ts";
import { formatGoals } from "../test/bench/bench-report.ts";
import { writeMarkedPart, writtenBy } from "../test/bench/marked-part.ts";
import { restGoals, restPart } from "../test/bench/rest-report.ts";
import { openStormCluster } from "../test/bench/storm-cluster.ts";
import { agentArgs } from "../test/bench/tools.ts";

const root = join(import.meta.dirname, "..");
const product = join(root, "bin/tcpretrans");
const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, settle: { type: "string", default: "120" } },
});
const times = { seconds: Number(values.seconds), settleSeconds: Number(values.settle) };
const [loadBefore] = loadavg();

if (process.getuid?.() !== 0) {
  console.error("Cannot measure: tracing the kernel needs root");
  process.exit(1);
}
process.chdir(root);
execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
await using cleanup = new AsyncDisposableStack();
const cluster = await openStormCluster(cleanup);
const rest = (args: readonly string[]) => agentCost(product, args, times);
const costs = {
  bare: await rest(["agent", "--events", "none", "--log-format", "json", "--no-http"]),
  names: await rest(agentArgs(cluster, "metrics")),
  all: await rest(agentArgs(cluster, "all")),
};
console.log(formatGoals(restGoals(costs)));
const when = writtenBy("npm run bench:rest", { args: process.argv.slice(2), loadBefore });
writeMarkedPart("docs/benchmarks.md", "npm run bench:rest", `${when}.\n\n${restPart(costs, times)}`);
console.log("\nWritten to docs/benchmarks.md");
