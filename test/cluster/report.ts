/** One comparison; `problem` says what differs. */
export interface Check {
  readonly subject: string;
  /** Of the table: where and how it was looked at. */
  readonly column: string;
  readonly problem: string | undefined;
  /** What was shown, for the table; without it the check is in no table. */
  readonly shown?: string;
}

/** `ok - …` or `not ok - …: why`. */
export function formatCheck({ subject, column, problem }: Check): string {
  const name = column === "" ? subject : `${subject}, ${column}`;
  return problem === undefined ? `ok - ${name}` : `not ok - ${name}: ${problem}`;
}

/** What was shown, as a Markdown table: a row for each subject. */
export function checkTable(checks: readonly Check[]): string {
  const shown = checks.filter((check) => check.shown !== undefined);
  const columns = [...new Set(shown.map(({ column }) => column))].sort();
  const rows = [...Map.groupBy(shown, ({ subject }) => subject)].map(([subject, own]) => [
    subject,
    ...columns.map((column) => {
      const cell = own.filter((check) => check.column === column);
      const mark = cell.some(({ problem }) => problem !== undefined) ? "**FAILED** " : "";
      return mark + [...new Set(cell.map((check) => check.shown))].join("; ");
    }),
  ]);
  const head = ["path and end", ...columns];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
