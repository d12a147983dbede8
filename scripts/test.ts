/**
 * The unit and host tiers on the Node that runs this; with `--both` or CI=true again on Node 24, which has no node:ffi.
 * Ends with one line `N passed, N failed`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** The oldest Node that the product supports, in its newest release when this was written. */
const NODE_24 = "24.21.0";

/** Many of them wait more than they work. */
const UNIT_FILES_AT_ONCE = 3;
/** A file that takes longer hangs: that is a failure, and the others still run. */
const FILE_MS = 300_000;

const root = import.meta.dirname.replace(/\/scripts$/, "");
const isRoot = process.getuid?.() === 0;
const inCi = process.env["CI"] === "true";
const both = (inCi || process.argv.includes("--both")) && process.versions.node !== NODE_24;

process.chdir(root);
if (!isRoot && inCi) fail("the host tier needs root, and CI=true allows nothing to be left out");
execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });

const unit = globSync("test/**/*.test.ts").sort();
const host = isRoot ? globSync("test/kernel/*.host.ts").sort() : [];
const results = [await runFiles(unit, UNIT_FILES_AT_ONCE), await runFiles(host, 1)];
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
const older = both ? runOnNode24() : { passed: 0, failed: 0 };
if (!isRoot) console.log("Left out: the host tier (test/kernel), which needs root");
console.log(`${passed + older.passed} passed, ${failed + older.failed} failed`);
process.exit(failed + older.failed === 0 && passed > 0 ? 0 : 1);

/** Runs test files, each in a process of its own; the host tier one after the other, for it counts what the kernel does. */
async function runFiles(files: readonly string[], concurrency: number) {
  let passed = 0;
  let failed = 0;
  if (files.length === 0) return { passed, failed };
  const stream = run({
    files: [...files],
    concurrency,
    timeout: FILE_MS,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  stream.on("test:pass", ({ details }) => {
    if (details.type !== "suite") passed++;
  });
  stream.on("test:fail", ({ details }) => {
    if (details.type !== "suite") failed++;
  });
  await new Promise<void>((resolve, reject) => {
    stream.compose(spec).on("end", resolve).on("error", reject).pipe(process.stdout, { end: false });
  });
  return { passed, failed };
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
