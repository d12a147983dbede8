import type { TcpEvent } from "../event/tcp-event.ts";

/** What the view asks for. */
export interface PrintRule {
  /** One `L>` line for each tail loss probe, whatever became of it (-l). */
  readonly lossProbes: boolean;
  /** Failed attempts too, marked as such (--wide, --json). */
  readonly failed: boolean;
}

/** Why an event is not printed. */
export type HiddenReason = "loss_probe" | "failed";

/** How many events were not printed, by reason. */
export type HiddenCounts = Record<HiddenReason, number>;

/**
 * Why an event is not printed, or undefined when it is. A tail loss probe that retransmits is one `L>` line and
 * never an `R>` line as well, so without -l it is hidden, as in perf-tools.
 */
export function hiddenReason(event: TcpEvent, rule: PrintRule): HiddenReason | undefined {
  if (event.kind === "loss_probe") return rule.lossProbes ? undefined : "loss_probe";
  return event.outcome === "failed" && !rule.failed ? "failed" : undefined;
}

/** The closing words about what was not printed and how to see it; undefined when nothing was hidden. */
export function formatHidden({ loss_probe, failed }: Readonly<HiddenCounts>): string | undefined {
  const parts: string[] = [];
  if (loss_probe > 0) parts.push(`${count(loss_probe, "tail loss probe")} (add -l)`);
  if (failed > 0) parts.push(`${count(failed, "failed attempt")} (add --wide)`);
  return parts.length === 0 ? undefined : `Not shown: ${parts.join(", ")}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
