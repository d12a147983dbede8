import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseDocument } from "../docs/markdown.ts";
import type { NodePlace } from "../lab/cluster/cluster.ts";
import type { InstalledChart } from "./installed-chart.ts";
import type { Check } from "./report.ts";

const FILE = "docs/troubleshooting.md";

/** Runs the commands that the document of symptoms begins with, about the agent of a node. */
export async function judgeFirstLook(chart: InstalledChart, place: NodePlace): Promise<readonly Check[]> {
  const text = readFileSync(join(import.meta.dirname, "../..", FILE), "utf8");
  const [first] = parseDocument(FILE, text).fences.filter(({ tag }) => tag === "sh");
  const lines = (first?.lines ?? []).map((line) => line.replace("NODE", place.plan.name));
  const endless = lines.findIndex((line) => line.includes(" port-forward "));
  const ended = await judgeEnded(chart, place, lines.toSpliced(endless, 1));
  return [ended, await judgeForward(chart, place, lines.slice(0, endless + 1))];
}

async function judgeEnded(
  chart: InstalledChart,
  { rung }: NodePlace,
  lines: readonly string[],
): Promise<Check> {
  const said = await chart.shell(["set -e", ...lines].join("\n"));
  const asked = said.text.includes("OK: retransmits of this host can be captured");
  const isRight = said.code === 0 && lines.length > 2 && asked && said.text.includes(`(${rung})`);
  const problem = isRight ? undefined : `exit code ${said.code}: ${said.text.slice(-1_000)}`;
  return { subject: `the first commands of ${FILE}`, column: rung, problem };
}

/** The last line forwards a port of the agent, and /readyz answers there. */
async function judgeForward(
  chart: InstalledChart,
  { rung }: NodePlace,
  lines: readonly string[],
): Promise<Check> {
  // Here any port that is free; the line is the shell itself, so that ending it ends the line.
  const last = `exec ${lines.at(-1)?.replace(" 9464", " :9464")}`;
  const said = await askForwarded(chart, ["set -e", ...lines.slice(0, -1), last].join("\n")).catch(String);
  const problem = said.startsWith("ok\n") ? undefined : said;
  return { subject: `the page's port of ${FILE}`, column: rung, problem };
}

async function askForwarded(chart: InstalledChart, script: string): Promise<string> {
  const child = spawn("sh", ["-c", script], { env: chart.env, stdio: ["ignore", "pipe", "inherit"] });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const port = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port !== undefined) return await (await fetch(`http://127.0.0.1:${port}/readyz`)).text();
    }
    return "it forwards nothing";
  } finally {
    child.kill();
  }
}
