import type { Sink } from "../agent/pump.ts";
import type { EnrichedEvent } from "../event/end-name.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import { formatSummary, formatSummaryJson } from "../export/format-summary.ts";
import { Summary } from "../export/summary.ts";

export interface SummarySinkOptions {
  readonly filter: (event: TcpEvent) => boolean;
  readonly json: boolean;
  /** Seconds between summaries; 0 for one at the end. */
  readonly summary: number | undefined;
  readonly epochUnixNanos: () => bigint;
  readonly utcOffsetMinutes: (unixSeconds: number) => number;
  readonly write: (text: string) => void;
}

/** Connections that a summary lists; the rest is one row. */
const ROWS = 20;

/** Prints a summary at an interval of the capture's time, and at the end. */
export class SummarySink implements Sink {
  readonly #options: SummarySinkOptions;
  #summary = new Summary();
  #due: number;
  /** Time of the last event: the end of what is summarised. */
  #last = 0;

  constructor(options: SummarySinkOptions) {
    this.#options = options;
    this.#due = this.#interval();
  }

  consume(events: readonly EnrichedEvent[], watermark: number): void {
    const epoch = this.#options.epochUnixNanos();
    for (const { event } of events) this.#last = Math.max(this.#last, event.time);
    for (const { event, ends } of events) {
      if (this.#options.filter(event)) this.#summary.add(event, epoch + BigInt(event.time), ends);
    }
    if (watermark < this.#due) return;
    this.#print(epoch + BigInt(Math.trunc(watermark)));
    this.#summary = new Summary();
    this.#due = watermark + this.#interval();
  }

  end(): void {
    this.#print(this.#options.epochUnixNanos() + BigInt(this.#last));
  }

  #interval(): number {
    const { summary } = this.#options;
    return summary ? summary * 1e9 : Number.POSITIVE_INFINITY;
  }

  #print(unixNanos: bigint): void {
    const { json, utcOffsetMinutes, write } = this.#options;
    const view = this.#summary.view({ rows: ROWS });
    write(json ? formatSummaryJson(view, unixNanos) : `${formatSummary(view, { utcOffsetMinutes })}\n`);
  }
}
