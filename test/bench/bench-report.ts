import { type Run, usPerEvent } from "./run-tool.ts";

/** A goal of the project, and what was measured. */
export interface Goal {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

/** One row of the table: what a tool used over the rounds. */
export interface Row {
  readonly tool: string;
  readonly usPerEvent: Spread;
  /** Of that in its own code. */
  readonly userUs: Spread;
  readonly seenPercent: Spread;
  readonly peakMib: Spread;
  readonly perSecond: Spread;
  readonly words: readonly string[];
}

/** Median, smallest and largest. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return { median: at(sorted.length >> 1), min: at(0), max: at(sorted.length - 1) };
}

/** Sums up the runs of one tool. CPU is per retransmit that it showed; where it shows none, per one that was sent. */
export function summarize(tool: string, runs: readonly Run[]): Row {
  const own = runs.filter((run) => run.tool === tool);
  return {
    tool,
    usPerEvent: spread(own.map(usPerEvent)),
    userUs: spread(own.map((run) => usPerEvent({ ...run, cpuSeconds: run.userSeconds }))),
    seenPercent: spread(own.map((run) => run.seenPercent)),
    peakMib: spread(own.map((run) => run.peakMib)),
    perSecond: spread(own.map((run) => run.perSecond)),
    words: own.map((run) => run.words).filter((words) => words !== ""),
  };
}

const HEAD = ["", "CPU µs an event", "of it user", "ratio", "events seen %", "peak RSS MiB", "events/s"];

/** The rows as a Markdown table, each beside the first. */
export function formatRows(rows: readonly Row[]): string {
  const base = rows[0]?.usPerEvent.median ?? Number.NaN;
  const lines = rows.map((row) => [
    row.tool.replaceAll("|", "\\|"),
    show(row.usPerEvent, 2),
    row.userUs.median.toFixed(2),
    (row.usPerEvent.median / base).toFixed(2),
    row.seenPercent.max > 0 ? show(row.seenPercent, 2) : "–",
    row.peakMib.median.toFixed(0),
    show(row.perSecond, 0),
  ]);
  return markdown([HEAD, ...lines]);
}

/** The goals as a Markdown table. */
export function formatGoals(goals: readonly Goal[]): string {
  const lines = goals.map(({ goal, measured, met }) => [goal, measured, met ? "met" : "**missed**"]);
  return markdown([["goal", "measured", ""], ...lines]);
}

/** `4.51 (4.40–4.83)`. */
export function show({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** The lines as a Markdown table under the first. */
export function markdown([head = [], ...lines]: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
