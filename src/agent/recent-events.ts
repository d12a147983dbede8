import type { EnrichedEvent } from "../event/end-name.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import type { Between } from "../export/episodes.ts";
import { formatEnds } from "../export/format-end-name.ts";
import { formatError } from "../export/format-error.ts";
import type { ActivityModel, EventRow } from "../export/page-model.ts";
import { formatEnd } from "../export/table.ts";
import { EventRate } from "./event-rate.ts";
import type { Sink } from "./pump.ts";
import { TopPairs } from "./top-pairs.ts";
import { SLOT_NANOS, WindowedCounts } from "./windowed-counts.ts";

/** Events and pairs that the page shows. */
const LAST = 30;
const PAIRS = 20;
const NOW_SECONDS = 10;
const STEP_SECONDS = 5;

/** Keeps what the page shows of events, in bounded memory and cheap for each of them. */
export class RecentEvents implements Sink {
  readonly #rate = new EventRate();
  readonly #all = new WindowedCounts();
  readonly #pairs = new TopPairs();
  #last: EnrichedEvent[] = [];
  #events = 0;
  #watermark = 0;

  consume(events: readonly EnrichedEvent[], watermark: TraceNanos): void {
    if (Number.isFinite(watermark) && watermark > this.#watermark) this.#watermark = watermark;
    if (events.length === 0) return;
    this.#events += events.length;
    this.#rate.add(events.length, this.#second);
    this.#last = [...this.#last, ...events.slice(-LAST)].slice(-LAST);
    const slot = this.#slot;
    for (const enriched of events) this.#count(enriched, slot);
  }

  /** Notes that a connection between two ends had stood still and goes on. */
  stalled(seconds: number, between: Between): void {
    const slot = this.#slot;
    this.#all.stalled(seconds, slot);
    this.#pairs.of(between).stalled(seconds, slot);
  }

  /** What the page shows; `unixMs` turns the trace's times into Unix time. */
  view(unixMs: (time: TraceNanos) => number): ActivityModel {
    const slot = this.#slot;
    const second = this.#second;
    const { rows, others } = this.#pairs.view(PAIRS, slot);
    const total = this.#all.total();
    const inRows = rows.reduce((sum, row) => sum + row.total.segments, 0);
    return {
      perSecond: this.#rate.perSecond(NOW_SECONDS, second),
      rates: this.#rate.series(STEP_SECONDS, second),
      events: this.#events,
      recent: this.#all.recent(slot),
      total,
      pairs: rows,
      otherPairs: { pairs: others, segments: total.segments - inRows },
      last: this.#last.map((enriched) => eventRow(enriched, unixMs)).reverse(),
    };
  }

  #count({ event, ends }: EnrichedEvent, slot: number): void {
    const { outcome, cause, segments = 1, socket } = event;
    if (outcome === "sent") {
      this.#all.segments(cause, segments, slot);
      this.#pairs.of({ socket, ends }).segments(cause, segments, slot);
    } else if (outcome === "failed") {
      this.#all.failed(slot);
      this.#pairs.of({ socket, ends }).failed(slot);
    }
  }

  get #slot(): number {
    return Math.floor(this.#watermark / SLOT_NANOS);
  }

  get #second(): number {
    return Math.floor(this.#watermark / 1e9);
  }
}

function eventRow({ event, ends }: EnrichedEvent, unixMs: (time: TraceNanos) => number): EventRow {
  const { kind, cause, segments, outcome, error, socket, time } = event;
  const { localAddress, localPort, peerAddress, peerPort, ipVersion } = socket;
  const names = ends === undefined ? undefined : formatEnds(ends);
  const why = formatError(error);
  return {
    unixMs: unixMs(time),
    ...{ kind, cause, segments },
    outcome: why === undefined ? outcome.replaceAll("_", " ") : `${outcome}: ${why}`,
    failed: outcome === "failed",
    source: names?.source,
    destination: names?.destination,
    sourceAddress: formatEnd(localAddress, localPort, ipVersion),
    destinationAddress: formatEnd(peerAddress, peerPort, ipVersion),
  };
}
