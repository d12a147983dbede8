import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "../docs/markdown.ts";
import type { Prometheus } from "../lab/telemetry/prometheus.ts";
import { askEveryPanel, unexplained } from "./dashboards.ts";
import type { Check } from "./report.ts";

/** A query as README shows it. */
export interface ShownQuery {
  /** What the remark above it says. */
  readonly title: string;
  readonly expr: string;
}

type Row = Awaited<ReturnType<Prometheus["query"]>>[number];

/** As README has it, and a range that holds all of a run. */
const SHOWN_RANGE = "[5m]";
const WHOLE_RANGE = "[1h]";
const WHOLE_SECONDS = 3600;
const RATE = /rate\((\w+(?:\{[^}]*\})?)\[5m\]\)/g;
/** increase() is reckoned to the ends of its range: half a point at either end. */
const TOLERANCE = 0.2;

/** The queries of README, each below its remark. */
export function readmeQueries(): readonly ShownQuery[] {
  const text = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const lines = parseDocument("README.md", text).fences.flatMap(({ tag, lines }) =>
    tag === "promql" ? lines : [],
  );
  const queries: { title: string; expr: string }[] = [];
  for (const line of lines) {
    const last = queries.at(-1);
    if (line.startsWith("# ")) queries.push({ title: line.slice(2), expr: "" });
    else if (last !== undefined) last.expr += `${line}\n`;
  }
  return queries;
}

/**
 * Each query of README has rows as it stands, and says of the whole run what the raw counters say: the same rows, and with sums of
 * rates the same numbers. What is retransmitted must be at rest, and all of it must have been within 5 minutes.
 */
export async function judgeReadmeQueries(prometheus: Prometheus): Promise<readonly Check[]> {
  return Promise.all(
    readmeQueries().map(async ({ title, expr }) => {
      const shown = await prometheus.query(expr);
      // Of an hour a run of minutes is a small rate, which the guard of a ratio would leave out.
      const unguarded = expr.replace(">= 1", ">= 0");
      const whole = await prometheus.query(unguarded.replaceAll(SHOWN_RANGE, WHOLE_RANGE));
      const raw = await prometheus.query(unguarded.replaceAll(RATE, "$1"));
      const seconds = expr.includes("/") ? 1 : WHOLE_SECONDS;
      const moved = raw.filter(({ value }) => value > 0);
      const problems = moved.flatMap((row) => {
        const own = whole.find((other) => keyOf(other) === keyOf(row));
        const value = (own?.value ?? 0) * seconds;
        const isNear = Math.abs(value - row.value) <= Math.max(TOLERANCE * row.value, TOLERANCE);
        return isNear ? [] : [`${keyOf(row)} is ${value}, by its counters ${row.value}`];
      });
      if (shown.length === 0) problems.push("it has no rows");
      if (moved.length === 0) problems.push("its counters stand still");
      return {
        subject: `README's query "${title}" agrees with the raw counters`,
        column: "",
        problem: problems.slice(0, 4).join("; ") || undefined,
        shown: `${shown.length} rows`,
      };
    }),
  );
}

/** Each query of each dashboard's panels has data, or its panel says why it may have none. */
export async function judgePanels({ url }: Prometheus): Promise<readonly Check[]> {
  const end = Math.floor(Date.now() / 1000);
  const answers = await askEveryPanel({ url, end, rangeSeconds: 600, rateInterval: "1m" });
  const withData = answers.filter(({ series }) => series > 0).length;
  const bare = unexplained(answers).map(({ dashboard, panel }) => `${dashboard}: ${panel}`);
  const problem = [...new Set(bare)].join("; ") || undefined;
  const shown = `${withData} of ${answers.length} queries have data`;
  return [{ subject: "panels have data, or say why not", column: "", problem, shown }];
}

function keyOf({ labels }: Row): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .sort()
    .join(",");
}
