import type { GuestReport } from "./guest-report.ts";

/** A kernel's report under the name of its series. */
export interface KernelResult {
  readonly name: string;
  readonly report: GuestReport;
}

/** What each rung showed of each scenario on each kernel, as a Markdown table: both address families in one cell. */
export function resultTable(results: readonly KernelResult[]): string {
  const columns = results.flatMap(({ name, report }) => {
    const rungs = [
      ...new Set(report.checks.filter(({ shown }) => shown !== undefined).map(({ rung }) => rung)),
    ];
    return rungs.map((rung) => ({
      title: `${name} ${rung}`,
      checks: report.checks.filter((check) => check.rung === rung),
    }));
  });
  const scenarios = [...new Set(columns.flatMap(({ checks }) => checks.map(({ scenario }) => scenario)))];
  const rows = scenarios.map((scenario) => [
    scenario,
    ...columns.map(({ checks }) => {
      const own = checks.filter((check) => check.scenario === scenario);
      return own.some(({ problem }) => problem !== undefined) ? "**FAILED**" : (own[0]?.shown ?? "");
    }),
  ]);
  const head = ["scenario", ...columns.map(({ title }) => title)];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)].join(
    "\n",
  );
}
