/**
 * What an event costs the agent on the highest rung: a storm that a kernel with kprobes recorded in a virtual machine, its
 * pages in memory on this machine. Prints the table and writes it into docs/benchmarks.md. `--seconds=N`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stageRows } from "../test/bench/agent-report.ts";
import { markdown, type Spread } from "../test/bench/bench-report.ts";
import { recordOnKprobes } from "../test/bench/kprobe-recording.ts";
import { writeMarkedPart, writtenBy } from "../test/bench/marked-part.ts";
import { NODE_FLAGS } from "./node-flags.ts";

const root = join(import.meta.dirname, "..");
const { values } = parseArgs({ options: { seconds: { type: "string", default: "60" } } });

if (process.getuid?.() !== 0) {
  console.error("Cannot measure: a virtual machine with this machine's files needs root");
  process.exit(1);
}
process.chdir(root);
execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
const directory = mkdtempSync(join(tmpdir(), "tcpretrans-bench-"));
try {
  const { file, release: kernel } = await recordOnKprobes(directory, Number(values.seconds));
  const [loadBefore] = loadavg();
  const script = join(root, "test/bench/pipeline-cost.ts");
  const text = execFileSync(process.execPath, [...NODE_FLAGS, script, file, "unnamed"], { encoding: "utf8" });
  const part = kprobePart(kernel, JSON.parse(text));
  console.log(part);
  const when = writtenBy("npm run bench:kprobes", { args: process.argv.slice(2), loadBefore });
  writeMarkedPart("docs/benchmarks.md", "npm run bench:kprobes", `${when}.\n\n${part}`);
  console.log("\nWritten to docs/benchmarks.md");
} finally {
  rmSync(directory, { recursive: true });
}

interface Costs {
  readonly events: number;
  readonly records: number;
  readonly us: Readonly<Record<string, Spread>>;
}

function kprobePart(kernel: string, { events, records, us }: Costs): string {
  return `\`test/bench/pipeline-cost.ts\` over the pages of a storm that Linux ${kernel} recorded on its kprobe rung in a virtual machine: ${events} events,
${(records / events).toFixed(2)} records each, most with the socket's fields, none with a stack. Each stage on top of those before, µs of CPU an event. Names are not in it: they
depend on the machine, and "Names of both ends" has them (pod → pod, by cgroup).

${markdown([["", "µs"], ...stageRows(us)])}`;
}
