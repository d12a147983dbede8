/**
 * Writes what is made from the chart, or checks that it is as written, and tests what the chart renders with Helm 3 and 4.
 * Ends with one line `N passed, N failed`.
 */

import { globSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { run as runTests } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import { type ChartPrograms, findChartPrograms } from "../test/chart/programs.ts";
import { run } from "../test/lab/run.ts";
import { renderManifests } from "./chart-manifests.ts";
import { formatChartSchema } from "./chart-schema.ts";

const ROOT = resolve(import.meta.dirname, "..");
const CHART = join(ROOT, "charts/tcpretrans");
/** The one that the cluster of the tests runs. */
const KUBE_VERSION = "1.36.0";

const USAGE = `Makes the chart's schema, README and manifests, and tests it: npm run chart [-- --check]
  --check   write nothing: fail where a file is not what would be written
HELM3, HELM4 and HELM_DOCS name the programs; else helm3, helm4 and helm-docs on the path.`;

interface Counts {
  passed: number;
  failed: number;
}

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

if (values.help) console.log(USAGE);
else process.exitCode = await main();

async function main(): Promise<number> {
  process.chdir(ROOT);
  const programs = await findChartPrograms(process.env);
  const counts: Counts = { passed: 0, failed: 0 };
  const valuesYaml = await readFile(join(CHART, "values.yaml"), "utf8");
  // The manifests last: Helm checks values by the schema.
  await settle(counts, "charts/tcpretrans/values.schema.json", formatChartSchema(valuesYaml));
  await settle(counts, "charts/tcpretrans/README.md", await formatReadme(programs));
  const options = { helm: programs.helm3, chart: CHART, kubeVersion: KUBE_VERSION };
  for (const [file, text] of Object.entries(await renderManifests(options)))
    await settle(counts, `manifests/${file}`, text);
  for (const helm of [programs.helm3, programs.helm4]) {
    await lint(counts, helm);
    await testRendered(counts, helm);
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}

/** Writes a file, or counts whether it is as it would be written. */
async function settle(counts: Counts, file: string, text: string): Promise<void> {
  const path = join(ROOT, file);
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === text) {
    counts.passed++;
    return;
  }
  if (values.check) {
    counts.failed++;
    console.log(`${file} is not what \`npm run chart\` writes`);
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  counts.passed++;
  console.log(`${file} is written`);
}

async function formatReadme({ helmDocs }: ChartPrograms): Promise<string> {
  const place = ["--chart-search-root", CHART, "--template-files", "README.md.gotmpl"];
  const text = await run(helmDocs, [
    ...["--dry-run", "--sort-values-order", "file", "--log-level", "warning"],
    ...place,
  ]);
  // Its own strict mode takes a section's text for none of its keys', and prints nothing.
  const bare = text.split("\n").filter((line) => /^\| .*\|\s*\|$/.test(line));
  if (text.trim() === "" || bare.length > 0)
    throw new Error(`Cannot write the chart's README: values without a text: ${bare.join("; ")}`);
  return `${text.trim()}\n`;
}

async function lint(counts: Counts, helm: string): Promise<void> {
  for (const file of globSync("charts/tcpretrans/ci/*-values.yaml").sort()) {
    try {
      await run(helm, [
        "lint",
        "--strict",
        "--quiet",
        "--kube-version",
        KUBE_VERSION,
        CHART,
        "--values",
        file,
      ]);
      counts.passed++;
    } catch (error) {
      counts.failed++;
      console.log(error instanceof Error ? error.message : String(error));
    }
  }
}

async function testRendered(counts: Counts, helm: string): Promise<void> {
  process.env["HELM"] = helm;
  console.log(`with Helm ${(await run(helm, ["version", "--short"])).trim()}`);
  const files = globSync("test/chart/*.chart.ts").sort();
  const stream = runTests({ files, concurrency: false, execArgv: ["--disable-warning=ExperimentalWarning"] });
  stream.on("test:pass", ({ details }) => void (details.type !== "suite" && counts.passed++));
  stream.on("test:fail", ({ details }) => void (details.type !== "suite" && counts.failed++));
  const { promise, resolve: ended, reject } = Promise.withResolvers<void>();
  stream.compose(spec).on("end", ended).on("error", reject).pipe(process.stdout, { end: false });
  await promise;
}
