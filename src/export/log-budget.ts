import type { EnrichedEvent } from "../event/end-name.ts";
import { localEndKey } from "./local-end-key.ts";
import type { SpanIds } from "./log-entry.ts";

/** An event that is to have a record of its own. */
export interface KeptEvent {
  readonly enriched: EnrichedEvent;
  readonly context: SpanIds | undefined;
}

export interface LogBudgetOptions {
  /** Events that may have a record in a window. */
  readonly max: number;
  /** Told of every event that may not: at once, or when another took its place. */
  readonly beyond: (enriched: EnrichedEvent, context: SpanIds | undefined) => void;
}

interface Kept extends KeptEvent {
  isOut: boolean;
}

/** What one local end has of the window: its first events, as many as its fair share. */
type Share = Kept[];

/** Bounds the memory: local ends with a share of their own; the others have one together. */
const MAX_SHARES = 1024;

/**
 * Chooses which events of a window have a record: all while there is room, then as many of each local end as make the
 * smallest share as large as can be (max-min fairness). An event that finds no room takes the place of the newest of the
 * largest share, unless its own is as large. What few events do not use is so left to those with many.
 */
export class LogBudget {
  readonly #options: LogBudgetOptions;
  readonly #shares = new Map<object | string, Share>();
  /** In the order of their coming, with those that are out. */
  #kept: Kept[] = [];
  #size = 0;
  /** No share is larger. */
  #largest = 0;
  /** Shares of that size, as far as they have been looked for. */
  #largestShares: Share[] = [];

  constructor(options: LogBudgetOptions) {
    this.#options = options;
  }

  /** Events that are to have a record. */
  get size(): number {
    return this.#size;
  }

  offer(enriched: EnrichedEvent, context: SpanIds | undefined): void {
    const share = this.#shareOf(enriched);
    if (this.#size < this.#options.max) {
      this.#size++;
      this.#keep(share, { enriched, context, isOut: false });
      if (share.length > this.#largest) this.#largest = share.length;
      return;
    }
    const from = share.length + 2 > this.#largest ? undefined : this.#findLargest();
    const out = from === undefined || share.length + 2 > from.length ? undefined : from.pop();
    const { beyond } = this.#options;
    if (out === undefined) {
      beyond(enriched, context);
      return;
    }
    out.isOut = true;
    beyond(out.enriched, out.context);
    this.#keep(share, { enriched, context, isOut: false });
  }

  /** Ends the window: its events in the order of their coming. */
  take(): readonly KeptEvent[] {
    const kept = this.#kept.filter(({ isOut }) => !isOut);
    this.#kept = [];
    this.#shares.clear();
    this.#size = 0;
    this.#largest = 0;
    this.#largestShares = [];
    return kept;
  }

  #shareOf({ ends }: EnrichedEvent): Share {
    const key = localEndKey(ends);
    const known = this.#shares.get(key);
    if (known !== undefined) return known;
    if (this.#shares.size >= MAX_SHARES) return this.#shares.get(OTHERS) ?? this.#begin(OTHERS);
    return this.#begin(key);
  }

  #begin(key: object | string): Share {
    const share: Share = [];
    this.#shares.set(key, share);
    return share;
  }

  #keep(share: Share, kept: Kept): void {
    share.push(kept);
    this.#kept.push(kept);
  }

  /** One of the largest shares; it is about to lose one. */
  #findLargest(): Share | undefined {
    for (; this.#largest > 0; this.#largest--) {
      for (let share = this.#largestShares.pop(); share !== undefined; share = this.#largestShares.pop()) {
        if (share.length === this.#largest) return share;
      }
      this.#largestShares = [...this.#shares.values()].filter(({ length }) => length === this.#largest);
      const share = this.#largestShares.pop();
      if (share !== undefined) return share;
    }
    return undefined;
  }
}

const OTHERS = {};
