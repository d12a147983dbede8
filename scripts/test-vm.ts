import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Rung } from "../src/event/tcp-event.ts";
import { type Accelerator, bootVm, chooseAccelerator } from "../test/lab/boot.ts";
import { KERNELS, type Lab, type LabKernel, prepareLab } from "../test/lab/lab.ts";
import { labDir } from "../test/lab/lab-dir.ts";
import { run } from "../test/lab/run.ts";
import {
  type Check,
  GROUPS,
  type Group,
  type GuestOrder,
  type GuestReport,
} from "../test/vm/guest-report.ts";
import { type KernelResult, resultTable } from "../test/vm/result-table.ts";
import { rungsOf } from "../test/vm/sight.ts";

const USAGE = `Runs tcpretrans on Debian's kernels in virtual machines: npm run test:vm -- [options]
  --full           every rung on every kernel, and the table into docs/kernels.md
                   (else every rung on 6.12, the highest rung on the others)
  --kernel NAME    only this kernel, repeatable: ${KERNELS.map(({ name }) => name).join(" ")}
  --group NAME     only this group of checks, repeatable: ${GROUPS.join(" ")}
  --scenario NAME  only this scenario, repeatable; no other group
  --jobs N         virtual machines at a time (default 2)`;

const ROOT = join(import.meta.dirname, "..");
const GUEST = join(ROOT, "test/vm/guest.ts");
const MEMORY_MB = 1536;
/** A boot with all its checks takes 4 to 5 minutes on one slow core, twice that on a busy one. */
const BOOT_TIMEOUT_MS = 900_000;
/** Shows every rung in the default run. */
const EVERY_RUNG_ON = "6.12";

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    kernel: { type: "string", multiple: true, default: KERNELS.map(({ name }) => name) },
    group: { type: "string", multiple: true },
    scenario: { type: "string", multiple: true },
    jobs: { type: "string", default: "2" },
    help: { type: "boolean", short: "h", default: false },
  },
});

// The machines end with this process.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

process.exitCode = values.help ? help() : await main();

function help(): number {
  console.log(USAGE);
  return 0;
}

async function main(): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error("Cannot prepare virtual machines: not root");
  const started = Date.now();
  await run("npm", ["run", "--silent", "build"], { cwd: ROOT });
  const dir = labDir(process.env);
  const lab = await prepareLab(dir, { names: values.kernel, say: console.log });
  const [first] = lab.kernels;
  if (first === undefined)
    throw new Error(`Cannot choose a kernel: ${values.kernel.join(" ")} is none of those known`);
  const accelerator = await chooseAccelerator(lab, first);
  console.log(`${lab.kernels.map(({ release }) => release).join(", ")} under QEMU (${accelerator})`);
  const results = await inTurns(lab.kernels, Number(values.jobs), (kernel) =>
    testKernel(lab, kernel, { accelerator, outDir: join(dir, "runs", `${kernel.name}-${process.pid}`) }),
  );
  for (const { name, report } of results)
    for (const check of report.checks) console.log(formatCheck(name, check));
  const table = resultTable(results);
  console.log(`\n${table}\n`);
  if (
    values.full &&
    chooseGroups().includes("scenarios") &&
    values.scenario === undefined &&
    results.length === KERNELS.length
  )
    await document(results, table);
  const checks = results.flatMap(({ report }) => report.checks);
  const failed = checks.filter(({ problem }) => problem !== undefined).length;
  console.log(`Took ${Math.round((Date.now() - started) / 1000)} s`);
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** Boots a kernel and lets it test itself; a guest that comes to no end is one failed check. */
async function testKernel(
  lab: Lab,
  kernel: LabKernel,
  { accelerator, outDir }: { readonly accelerator: Accelerator; readonly outDir: string },
): Promise<KernelResult> {
  const { name } = kernel;
  const all = rungsOf(kernel.release);
  const rungs: readonly Rung[] = values.full || name === EVERY_RUNG_ON ? all : all.slice(0, 1);
  const order: GuestOrder = { groups: chooseGroups(), rungs, scenarios: values.scenario };
  await mkdir(outDir, { recursive: true });
  await writeFile(join(outDir, "order.json"), JSON.stringify(order));
  const console_: string[] = [];
  try {
    const code = await bootVm(lab, kernel, {
      command: `'${process.execPath}' --disable-warning=ExperimentalWarning '${GUEST}' /run/lab`,
      outDir,
      accelerator,
      memoryMb: MEMORY_MB,
      timeoutMs: BOOT_TIMEOUT_MS,
      onLine: (line) => {
        console_.push(line);
        if (/^\d+ s: /.test(line)) console.log(`[${name}] ${line}`);
      },
    });
    if (code !== 0) throw new Error(`The guest ended with exit code ${code}`);
    const report: GuestReport = JSON.parse(await readFile(join(outDir, "report.json"), "utf8"));
    if (report.checks.every(({ problem }) => problem === undefined)) await rm(outDir, { recursive: true });
    else console.log(`[${name}] what tcpretrans printed is in ${outDir}`);
    return { name, report };
  } catch (error) {
    console.log(console_.map((line) => `[${name}] ${line}`).join("\n"));
    const problem = error instanceof Error ? error.message : String(error);
    return {
      name,
      report: { release: kernel.release, checks: [{ rung: "all", family: 0, scenario: "boot", problem }] },
    };
  }
}

function chooseGroups(): readonly Group[] {
  const names = values.group ?? (values.scenario === undefined ? GROUPS : ["scenarios"]);
  const unknown = names.find((name) => !GROUPS.some((group) => group === name));
  if (unknown !== undefined) throw new Error(`Cannot choose a group: there is no ${unknown}`);
  return GROUPS.filter((group) => names.includes(group));
}

function formatCheck(kernel: string, { rung, family, scenario, problem }: Check): string {
  const subject = `${kernel} ${rung} ${family === 0 ? "" : `IPv${family} `}${scenario}`;
  return problem === undefined ? `ok - ${subject}` : `not ok - ${subject}: ${problem}`;
}

/** Maps items with at most `width` of them under way. */
async function inTurns<T, R>(
  items: readonly T[],
  width: number,
  step: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      results[next[0]] = await step(next[1]);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

/** Puts the table between the marks in docs/kernels.md. */
async function document(results: readonly KernelResult[], table: string): Promise<void> {
  const file = join(ROOT, "docs/kernels.md");
  const [begin, end] = ["<!-- npm run test:vm -- --full: begin -->", "<!-- end -->"];
  const kernels = results.map(({ name, report }) => `${name} is ${report.release}`).join(", ");
  const part = `${begin}\nRun on ${new Date().toISOString().slice(0, 10)}: ${kernels}.\n\n${table}\n${end}`;
  const text = await readFile(file, "utf8").catch(
    () => `# What each rung shows on each kernel\n\n${begin}\n${end}\n`,
  );
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`Cannot write the table: ${file} has no ${begin} … ${end}`);
  await mkdir(join(ROOT, "docs"), { recursive: true });
  await writeFile(file, text.slice(0, from) + part + text.slice(to + end.length));
}
