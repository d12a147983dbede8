import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "../docs/markdown.ts";
import type { NodePlace } from "../lab/cluster/cluster.ts";
import type { InstalledChart } from "./installed-chart.ts";
import type { Check } from "./report.ts";

const FILE = "docs/troubleshooting.md";

/** Runs the commands that the document of symptoms begins with, but for the one without end, about the agent of a node. */
export async function judgeFirstLook(chart: InstalledChart, { plan, rung }: NodePlace): Promise<Check> {
  const text = readFileSync(join(import.meta.dirname, "../..", FILE), "utf8");
  const [first] = parseDocument(FILE, text).fences.filter(({ tag }) => tag === "sh");
  const lines = (first?.lines ?? []).filter((line) => !line.includes("port-forward"));
  const script = ["set -e", ...lines.map((line) => line.replace("NODE", plan.name))].join("\n");
  const said = await chart.shell(script);
  const asked = said.text.includes("OK: retransmits of this host can be captured");
  const isRight = said.code === 0 && lines.length > 2 && asked && said.text.includes(`(${rung})`);
  const problem = isRight ? undefined : `exit code ${said.code}: ${said.text.slice(-1_000)}`;
  return { subject: `the first commands of ${FILE}`, column: rung, problem };
}
