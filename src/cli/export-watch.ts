import type { ExportCounts } from "../export/otlp/export-counts.ts";
import type { ExportModel } from "../export/page-model.ts";
import type { AgentExports } from "./agent-exports.ts";

type Signal = ExportModel["signal"];

/** How one signal's export goes. */
export interface ExportStanding
  extends Pick<ExportModel, "state" | "problem" | "lastSuccessUnixMs" | "sent" | "dropped"> {
  readonly queue: { readonly records: number; readonly bytes: number } | undefined;
}

interface Seen {
  sent: number;
  failures: number;
  lastSuccessUnixMs: number | undefined;
  isFailing: boolean;
}

interface Numbers {
  readonly sent: number;
  readonly failures: number;
  readonly dropped: number;
  readonly problem: string | undefined;
  readonly queue: ExportStanding["queue"];
}

/** Looks at the counts of exports about once a second, and so knows whether they get through. */
export class ExportWatch {
  readonly #exports: () => AgentExports;
  readonly #seen: Record<Signal, Seen> = { metrics: unseen(), logs: unseen(), traces: unseen() };

  constructor(exports: () => AgentExports) {
    this.#exports = exports;
  }

  look(unixMs: number): void {
    for (const [signal, seen] of Object.entries(this.#seen) as [Signal, Seen][]) {
      const { sent, failures } = this.#numbers(signal);
      if (sent > seen.sent) seen.lastSuccessUnixMs = unixMs;
      if (sent > seen.sent) seen.isFailing = false;
      else if (failures > seen.failures) seen.isFailing = true;
      seen.sent = sent;
      seen.failures = failures;
    }
  }

  of(signal: Signal): ExportStanding {
    const { lastSuccessUnixMs, isFailing } = this.#seen[signal];
    const { sent, dropped, queue, problem } = this.#numbers(signal);
    const standing = isFailing ? ({ state: "degraded", problem } as const) : OK;
    return { ...standing, lastSuccessUnixMs, sent, dropped, queue };
  }

  #numbers(signal: Signal): Numbers {
    if (signal === "metrics") {
      const counts = this.#exports().metrics();
      return counts === undefined ? NOTHING : { ...NOTHING, ...outcomesOf(counts) };
    }
    const counts = this.#exports()[signal]();
    if (counts === undefined) return NOTHING;
    const { dropped, waitingRecords: records, waitingBytes: bytes } = counts;
    return { ...outcomesOf(counts), dropped: sum(Object.values(dropped)), queue: { records, bytes } };
  }
}

const OK = { state: "ok", problem: undefined } as const;
const NOTHING: Numbers = { sent: 0, failures: 0, dropped: 0, problem: undefined, queue: undefined };

/** What both kinds of counts tell. */
function outcomesOf({
  exported,
  failures,
  problem,
}: Pick<ExportCounts, "exported" | "failures" | "problem">) {
  return { sent: exported, failures: sum(failures.values()), problem };
}

function unseen(): Seen {
  return { sent: 0, failures: 0, lastSuccessUnixMs: undefined, isFailing: false };
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
