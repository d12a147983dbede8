import type { EnrichedEvent } from "../event/end-name.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import type { Episodes } from "./episodes.ts";
import type { EventLog } from "./event-log.ts";

export interface EventSignalsOptions {
  /** Undefined: no log records. */
  readonly log: EventLog | undefined;
  /** Undefined: neither stalls nor spans. */
  readonly episodes: Episodes | undefined;
}

/** A sink of events: each first finds its episode, whose span its record then names. */
export interface EventSignals {
  consume(events: readonly EnrichedEvent[], watermark: TraceNanos): void;
  end(): void;
}

/** Joins the log and the episodes: records of an episode carry its span's ids from the first on. */
export function eventSignals({ log, episodes }: EventSignalsOptions): EventSignals {
  return {
    consume(events, watermark) {
      for (const enriched of events) {
        const context = episodes?.see(enriched);
        log?.add(enriched, context);
      }
      episodes?.pass(watermark);
      log?.pass(watermark);
    },
    end() {
      log?.end();
      episodes?.end();
    },
  };
}
