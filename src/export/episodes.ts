import type { Ends, EnrichedEvent } from "../event/end-name.ts";
import type { SocketFields, SocketKey } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import {
  beginEpisode,
  beginsEpisode,
  type Episode,
  type EpisodeEnd,
  endedBy,
  endStandstill,
  takeEvent,
} from "./episode.ts";
import { isUsedUp, quietAt } from "./episode-deadline.ts";
import { type EpisodeSpan, type SpanOptions, startEpisodeSpan } from "./episode-span.ts";
import type { SpanIds } from "./log-entry.ts";

/** A connection with the names of its ends. */
export interface Between {
  readonly socket: SocketFields;
  readonly ends: Ends | undefined;
}

export interface EpisodesOptions {
  /** Told of each episode that is over and of which events prove that the connection stood still: for so many seconds, at least. */
  readonly stall: (between: Between, seconds: number) => void;
  /** An episode is over when nothing came for so long, and the kernel would have tried again. */
  readonly quietSeconds: number;
  /** Present: each episode has a span. */
  readonly spans?: SpanOptions | undefined;
  /** Episodes at a time; of more, the one that began first is cut short. */
  readonly maxOpen?: number;
}

interface OpenEpisode extends Episode {
  readonly span: EpisodeSpan | undefined;
  quietAt: number;
}

const MAX_OPEN = 10_000;
/** Spans begun in a second of trace time, unless told otherwise: in a storm connections lose thousands of times a second. */
const MAX_SPANS_PER_SECOND = 100;
/** How often it is looked for what is quiet, in trace time. */
const SWEEP_NANOS = 1e9;

/** Follows each connection through its losses, by its events and by the watermark: it has no timer. */
export class Episodes {
  /** Episodes that ended, by how. */
  readonly ended: Record<EpisodeEnd, number> = { recovered: 0, abandoned: 0, quiet: 0, cut_short: 0 };
  /** Episodes that began when there were too many for a span each. */
  withoutSpan = 0;
  /** Episodes that ended and of which nothing proves that the connection stood still: how long it did is not known, 0 would be a guess. */
  withoutStall = 0;
  readonly #options: EpisodesOptions;
  /** The one that began first is the first. */
  readonly #open = new Map<SocketKey, OpenEpisode>();
  #sweptAt = Number.NEGATIVE_INFINITY;
  #spanSecond = Number.NEGATIVE_INFINITY;
  #spansInSecond = 0;

  constructor(options: EpisodesOptions) {
    this.#options = options;
  }

  /** Episodes that are open now. */
  get open(): number {
    return this.#open.size;
  }

  /** Takes an event; gives the ids of the span that it is part of, where it is part of one. */
  see({ event, ends }: EnrichedEvent): SpanIds | undefined {
    const known = this.#open.get(event.socket.key);
    const how = known === undefined ? undefined : endedBy(known, event);
    if (known !== undefined && how === undefined) {
      known.quietAt = quietAt(event, known.last.time, this.#options.quietSeconds);
      takeEvent(known, event, ends);
      known.span?.event(event);
      return known.span?.ids;
    }
    if (known !== undefined && how !== undefined) this.#end(known, how, event.time);
    return beginsEpisode(event) ? this.#begin({ event, ends }) : undefined;
  }

  /** Ends what is over by a watermark: to be called each tick, with or without events. */
  pass(watermark: TraceNanos): void {
    if (watermark - this.#sweptAt < SWEEP_NANOS) return;
    this.#sweptAt = watermark;
    for (const episode of this.#open.values()) {
      if (watermark < episode.quietAt) continue;
      const { standstill, last } = episode;
      this.#end(episode, standstill !== undefined && isUsedUp(standstill, last) ? "abandoned" : "quiet");
    }
  }

  /** Cuts short what is open. */
  end(): void {
    for (const episode of this.#open.values()) this.#end(episode, "cut_short");
  }

  #begin({ event, ends }: EnrichedEvent): SpanIds | undefined {
    const { quietSeconds, maxOpen = MAX_OPEN } = this.#options;
    if (this.#open.size >= maxOpen) {
      const [oldest] = this.#open.values();
      if (oldest !== undefined) this.#end(oldest, "cut_short");
    }
    const span = this.#startSpan({ event, ends });
    const atFirst = quietAt(event, event.time, quietSeconds);
    this.#open.set(event.socket.key, { ...beginEpisode(event, ends), span, quietAt: atFirst });
    span?.event(event);
    return span?.ids;
  }

  #startSpan({ event, ends }: EnrichedEvent): EpisodeSpan | undefined {
    const { spans } = this.#options;
    if (spans === undefined) return undefined;
    const second = Math.floor(event.time / 1e9);
    if (second > this.#spanSecond) {
      this.#spanSecond = second;
      this.#spansInSecond = 0;
    }
    if (this.#spansInSecond >= (spans.maxPerSecond ?? MAX_SPANS_PER_SECOND)) {
      this.withoutSpan++;
      return undefined;
    }
    this.#spansInSecond++;
    return startEpisodeSpan(event, ends, spans);
  }

  #end(episode: OpenEpisode, how: EpisodeEnd, time?: TraceNanos): void {
    const stall = endStandstill(episode, how === "recovered" ? time : undefined);
    this.#open.delete(episode.last.socket.key);
    this.ended[how]++;
    if (stall === undefined || stall.min === 0) this.withoutStall++;
    else this.#options.stall({ socket: episode.last.socket, ends: episode.ends }, stall.min);
    episode.span?.end(episode, how, stall);
  }
}
