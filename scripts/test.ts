/**
 * The unit and host tiers on the Node that runs this; with `--both` or CI=true again on Node 24, which has no node:ffi.
 * `--unit` leaves the host tier and Node 24 out. What fails beside other files is run once more by itself, and said. Ends with one line `N passed, N failed`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** The oldest Node that the product supports, in its newest release when this was written. */
const NODE_24 = "24.21.0";

/** Many of them wait more than they work. */
const UNIT_FILES_AT_ONCE = 4;
/** They begin first, so that none of them is left to run by itself at the end. */
const LONGEST = [
  "test/export/otlp/outages-grpc.test.ts",
  "test/export/otlp/outages-http.test.ts",
  "test/dashboards/panels.test.ts",
  "test/agent/a-day.test.ts",
  "test/kube/reflector.test.ts",
  "test/rules/promtool.test.ts",
];
/** Each has a link and instances of its own, and looks at no others. */
const HOST_FILES_AT_ONCE = 3;
/** These hold all that the machine retransmits, or all that tracefs has, against something, or wait until nothing is: nothing may run beside them. */
const ALONE = ["agent", "agent-broken-network", "agent-ends", "live-source", "trace", "tracefs-instance"].map(
  (name) => `test/kernel/${name}.host.ts`,
);
/** A file that takes longer hangs: that is a failure, and the others still run. */
const FILE_MS = 300_000;

const root = import.meta.dirname.replace(/\/scripts$/, "");
const isRoot = process.getuid?.() === 0;
const inCi = process.env["CI"] === "true";
const unitOnly = process.argv.includes("--unit");
const both = !unitOnly && (inCi || process.argv.includes("--both")) && process.versions.node !== NODE_24;

process.chdir(root);
if (!isRoot && inCi) fail("the host tier needs root, and CI=true allows nothing to be left out");
execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
// Some 200 processes read the same files: what the first makes of them the others take.
const compiled = mkdtempSync(join(tmpdir(), "tcpretrans-compiled-"));
process.env["NODE_COMPILE_CACHE"] = compiled;

const unit = globSync("test/**/*.test.ts").sort();
const host = isRoot && !unitOnly ? globSync("test/kernel/*.host.ts").sort() : [];
const results = [
  await runFiles([...new Set([...LONGEST, ...unit])], UNIT_FILES_AT_ONCE),
  await runFiles(
    host.filter((file) => !ALONE.includes(file)),
    HOST_FILES_AT_ONCE,
  ),
  await runFiles(
    host.filter((file) => ALONE.includes(file)),
    1,
  ),
];
rmSync(compiled, { recursive: true, force: true });
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
const older = both ? runOnNode24() : { passed: 0, failed: 0 };
if (!isRoot) console.log("Left out: the host tier (test/kernel), which needs root");
console.log(`${passed + older.passed} passed, ${failed + older.failed} failed`);
process.exit(failed + older.failed === 0 && passed > 0 ? 0 : 1);

interface Counts {
  passed: number;
  failed: number;
}

/**
 * Runs test files, each in a process of its own. A file that fails is run a second time, alone: a machine that stood
 * still is no fault of the product.
 */
async function runFiles(files: readonly string[], concurrency: number): Promise<Counts> {
  const counts = await runOnce(files, concurrency);
  const broken = [...counts].filter(([file, { failed }]) => file !== "" && failed > 0).map(([file]) => file);
  if (broken.length > 0) {
    console.log(`\nOnce more, each by itself: ${broken.map((file) => relative(root, file)).join(" ")}`);
    for (const [file, again] of await runOnce(broken, 1)) counts.set(file, again);
  }
  const total: Counts = { passed: 0, failed: 0 };
  for (const { passed, failed } of counts.values()) {
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

/** Counts by file. */
async function runOnce(files: readonly string[], concurrency: number): Promise<Map<string, Counts>> {
  const counts = new Map<string, Counts>();
  if (files.length === 0) return counts;
  const stream = run({
    files: [...files],
    concurrency,
    timeout: FILE_MS,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const count = (what: keyof Counts) => (data: { file?: string; details: { type?: string } }) => {
    if (data.details.type === "suite") return;
    const file = data.file ?? "";
    const known = counts.get(file) ?? { passed: 0, failed: 0 };
    known[what]++;
    counts.set(file, known);
  };
  stream.on("test:pass", count("passed"));
  stream.on("test:fail", count("failed"));
  await new Promise<void>((resolve, reject) => {
    stream.compose(spec).on("end", resolve).on("error", reject).pipe(process.stdout, { end: false });
  });
  return counts;
}

function runOnNode24() {
  const name = `node-linux-${process.arch}@${NODE_24}`;
  console.log(`\nThe same on Node ${NODE_24}, without node:ffi`);
  const node = execFileSync("npm", ["exec", "--yes", `--package=${name}`, "-c", "command -v node"], {
    encoding: "utf8",
  });
  const child = spawnSync(node.trim(), [import.meta.filename], {
    encoding: "utf8",
    env: { ...process.env, TCPRETRANS_NODE: node.trim() },
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.stdout.write(child.stdout);
  const last = /(\d+) passed, (\d+) failed\s*$/.exec(child.stdout);
  return { passed: Number(last?.[1] ?? 0), failed: last === null ? 1 : Number(last[2]) };
}

function fail(why: string): never {
  console.error(`Cannot run the tests: ${why}`);
  process.exit(1);
}
