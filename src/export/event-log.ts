import type { EnrichedEvent } from "../event/end-name.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { LogBudget } from "./log-budget.ts";
import type { EmitLog, SpanIds } from "./log-entry.ts";
import { type LogRecordOptions, logRecordMaker, type MakeLogRecord } from "./log-record.ts";
import { RecordSummaries, type RecordSummariesOptions } from "./record-summary.ts";
import { summaryEntry } from "./record-summary-entry.ts";

export interface EventLogOptions extends LogRecordOptions {
  readonly emit: EmitLog;
  /** Records of single events a second. */
  readonly recordsPerSecond: number;
  /** How long the events beyond are summed up, in seconds. */
  readonly summarySeconds: number;
  readonly summaries?: RecordSummariesOptions;
}

/** What became of the events: each has a record or is in one summary. */
export interface EventLogCounts {
  /** Records of single events. */
  records: number;
  /** Records that stand for several. */
  summaries: number;
  /** Events in those. */
  summarised: number;
}

const WINDOW_NANOS = 1e9;

/**
 * One log record for each event; in a storm as many as the budget allows, shared by the local pods, and summaries of the
 * rest. Records come out when their second is over: only then is it known what each pod's share is. Time is the trace's own.
 */
export class EventLog {
  readonly counts: EventLogCounts = { records: 0, summaries: 0, summarised: 0 };
  readonly #options: EventLogOptions;
  readonly #make: MakeLogRecord;
  readonly #budget: LogBudget;
  readonly #summaries: RecordSummaries;
  #windowEnd: number | undefined;
  #summaryEnd: number | undefined;

  constructor(options: EventLogOptions) {
    this.#options = options;
    this.#make = logRecordMaker(options);
    this.#summaries = new RecordSummaries(options.summaries);
    this.#budget = new LogBudget({
      max: options.recordsPerSecond,
      beyond: (enriched, context) => this.#summaries.add(enriched, context),
    });
  }

  /** Events that have been taken and are in no record yet. */
  get pending(): number {
    return this.#budget.size + this.#summaries.events;
  }

  /** Takes an event, and the span's ids that its record is to carry. */
  add(enriched: EnrichedEvent, context: SpanIds | undefined): void {
    this.#budget.offer(enriched, context);
  }

  /** Ends what is over by a watermark: to be called each tick, with or without events. */
  pass(watermark: TraceNanos): void {
    this.#windowEnd ??= watermark + WINDOW_NANOS;
    if (watermark >= this.#windowEnd) {
      this.#windowEnd = watermark + WINDOW_NANOS;
      this.#emitRecords();
    }
    if (this.#summaries.size === 0) return;
    this.#summaryEnd ??= watermark + this.#options.summarySeconds * 1e9;
    if (watermark >= this.#summaryEnd) this.#emitSummaries();
  }

  /** Emits what is pending. */
  end(): void {
    this.#emitRecords();
    this.#emitSummaries();
  }

  #emitRecords(): void {
    for (const { enriched, context } of this.#budget.take()) {
      this.#options.emit(this.#make(enriched, context));
      this.counts.records++;
    }
  }

  #emitSummaries(): void {
    this.#summaryEnd = undefined;
    for (const summary of this.#summaries.take()) {
      this.#options.emit(summaryEntry(summary, this.#options.unixNanos));
      this.counts.summaries++;
      this.counts.summarised += summary.counts.events;
    }
  }
}
