import { CAUSES } from "../event/tcp-event.ts";
import { describeLosses } from "../reconcile/losses.ts";
import type { Row, Verdict } from "../reconcile/reconcile.ts";
import type { Tally } from "../reconcile/tally.ts";
import { exitCode, type VerifyReport } from "./verify.ts";

export interface FormatVerifyOptions {
  readonly color: boolean;
}

const COLORS: Readonly<Record<Verdict, string>> = { reconciles: "32", differs: "31", unverifiable: "33" };

/** The report as text: what was seen by cause, each identity in total, and each namespace where it differs. */
export function formatVerify(report: VerifyReport, options: FormatVerifyOptions): string {
  const { sight, namespaces, rows, totals, losses } = report;
  const scope = namespaces === undefined ? "the whole host" : plural(namespaces, "network namespace");
  const lost = describeLosses(losses);
  const lines = [
    `Verified against the kernel's counters over ${scope}, ${sight.rung} rung`,
    ...(lost === "" ? [] : [`Lost: ${lost}`]),
    "",
    ...formatCauses(report.seen),
    "",
    line(["COUNTER", "IS", "SEEN", "KERNEL", "VERDICT"], ""),
    ...totals.map((row) => formatRow(row, options)),
  ];
  if (namespaces !== undefined) lines.push(...formatNamespaces(rows, options));
  return [...lines, "", formatConclusion(report), ""].join("\n");
}

function formatCauses(seen: Tally): readonly string[] {
  const lines = CAUSES.map((cause) => ({ cause, ...seen.cause(cause) }))
    .filter(({ sent, failed }) => sent + failed > 0)
    .map(({ cause, sent, failed, segments }) =>
      [cause.padEnd(20), cell(sent), cell(failed), cell(segments)].join(" ").trimEnd(),
    );
  const [newData, nothing, unknown] = [
    seen.probes("new_data"),
    seen.probes("nothing"),
    seen.probes("unknown"),
  ];
  if (newData + nothing + unknown > 0) {
    lines.push(
      `Loss probes that retransmitted nothing: ${newData} new data, ${nothing} nothing, ${unknown} unknown`,
    );
  }
  if (lines.length === 0) return ["No retransmit was seen"];
  return [["CAUSE".padEnd(20), ..."SENT FAILED SEGMENTS".split(" ").map(cell)].join(" "), ...lines];
}

/** Namespaces where not everything reconciles; one without counters takes one line. */
function formatNamespaces(rows: readonly Row[], options: FormatVerifyOptions): readonly string[] {
  const lines: string[] = [];
  for (const [netns, own] of Map.groupBy(rows, (row) => row.netns)) {
    const notable = own.filter(({ verdict }) => verdict !== "reconciles");
    const [first] = notable;
    if (first === undefined) continue;
    if (notable.every(({ kernel }) => kernel === undefined)) {
      lines.push("", `net:[${netns}] unverifiable: ${first.note}; ${plural(first.seen, "segment")} seen`);
    } else {
      lines.push("", `net:[${netns}]`, ...notable.map((row) => formatRow(row, options)));
    }
  }
  return lines;
}

function formatRow(row: Row, { color }: FormatVerifyOptions): string {
  const { identity, low, high, kernel, verdict, note } = row;
  const seen = low === high ? `${low}` : `${low} to ${high}`;
  const word = color
    ? `\x1b[${COLORS[verdict]}m${verdict}\x1b[0m${pad(verdict)}`
    : `${verdict}${pad(verdict)}`;
  return line([identity.counter, identity.formula, seen, `${kernel ?? "-"}`, word], note);
}

function line([counter, formula, seen, kernel, verdict]: readonly string[], note: string): string {
  const left = `${(counter ?? "").padEnd(20)} ${(formula ?? "").padEnd(47)}`;
  return `${left} ${cell(seen ?? "")} ${cell(kernel ?? "")}  ${verdict} ${note}`.trimEnd();
}

function formatConclusion(report: VerifyReport): string {
  const all = [...report.rows, ...report.totals];
  const doubtful = report.rows.filter(({ verdict }) => verdict === "unverifiable").length;
  const left = doubtful === 0 ? "" : `; ${plural(doubtful, "comparison")} could not be made`;
  if (exitCode(report) === 0) {
    const explained = all.some(({ verdict }) => verdict === "differs");
    const what = explained
      ? "Every difference is explained by a named loss"
      : "All that can be checked reconciles";
    return `${what}${left}`;
  }
  const count = report.rows.filter(({ unexplained }) => unexplained).length;
  return `${plural(Math.max(count, 1), "difference")} unexplained${left}`;
}

function cell(value: number | string): string {
  return `${value}`.padStart(12);
}

function pad(verdict: Verdict): string {
  return " ".repeat("unverifiable".length - verdict.length);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
