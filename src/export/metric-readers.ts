import type { Series } from "./series.ts";

/** Readers remembered; beyond it the one that has not come for the longest time is forgotten. */
const MAX_READERS = 16;
/** To a reader that has not come before, a series is new that is not older: the agent or the reader has just begun. */
const FIRST_LOOK_MS = 120_000;
/** Nobody waits for a reader that has not come for so long. */
const AWAY_MS = 300_000;

/** One reader's last two looks: Unix times in ms, and how many series had been born at the last. */
interface Look {
  readonly atMs: number;
  readonly beforeMs: number;
  readonly births: number;
}

/** Who has seen what: each reader is shown a new series as it was born once, and then as it is. */
export class MetricReaders {
  /** The last that came is the last in order. */
  readonly #looks = new Map<string, Look>();

  /** Begins a look; says which series this reader has to be shown as they were born. */
  look(reader: string, { nowUnixMs, births }: LookOptions): (series: Series) => boolean {
    const last = this.#looks.get(reader);
    this.#looks.delete(reader);
    this.#looks.set(reader, { atMs: nowUnixMs, beforeMs: last?.atMs ?? Number.NEGATIVE_INFINITY, births });
    if (this.#looks.size > MAX_READERS) {
      const [oldest] = this.#looks.keys();
      if (oldest !== undefined) this.#looks.delete(oldest);
    }
    if (last === undefined) return (series) => nowUnixMs - series.startUnixMs <= FIRST_LOOK_MS;
    return (series) => series.birth > last.births;
  }

  /** Whether every reader that still comes has looked twice since a time: at 0, where it had to, and at the value. */
  haveSeen(sinceUnixMs: number, nowUnixMs: number): boolean {
    if (nowUnixMs - sinceUnixMs >= AWAY_MS) return true;
    let present = 0;
    for (const { atMs, beforeMs } of this.#looks.values()) {
      if (nowUnixMs - atMs >= AWAY_MS) continue;
      if (beforeMs <= sinceUnixMs) return false;
      present++;
    }
    return present > 0;
  }
}

export interface LookOptions {
  readonly nowUnixMs: number;
  /** Series born so far. */
  readonly births: number;
}
