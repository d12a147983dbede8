import type { Series } from "./series.ts";

/** Readers remembered; beyond it the one that has not come for the longest time is forgotten. */
const MAX_READERS = 16;
/** To a reader that has not come before, a series is new that is not older: the agent or the reader has just begun. */
const FIRST_LOOK_MS = 120_000;
/** Nobody waits for a reader that has not come for so long, */
const AWAY_MS = 300_000;
/** nor longer than this for one that comes and cannot take anything away. */
const PATIENCE_MS = 900_000;
/** Looks of a reader that are remembered: two that count, and one that may yet turn out to have failed. */
const LOOKS = 3;

/** One reader. */
interface Reader {
  /** Unix times in ms of its first look, and of the last, that may have failed. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Unix times in ms of its last looks that have not failed. */
  readonly looksMs: readonly number[];
  /** Series born before its last look. */
  readonly births: number;
}

export interface LookOptions {
  readonly nowUnixMs: number;
  /** Series born so far. */
  readonly births: number;
}

/** What of a series says whether a reader knows it. */
export type Born = Pick<Series, "birth" | "startUnixMs">;

/** Who has seen what: a reader has to be told of what is new to it, and should have the last of what ends. */
export class MetricReaders {
  /** The one that came last is the last in order. */
  readonly #readers = new Map<string, Reader>();

  /** Begins a look; says which series are new to this reader. */
  look(reader: string, { nowUnixMs, births }: LookOptions): (series: Born) => boolean {
    const known = this.#readers.get(reader);
    this.#readers.delete(reader);
    this.#readers.set(reader, {
      firstMs: known?.firstMs ?? nowUnixMs,
      lastMs: nowUnixMs,
      looksMs: [...(known?.looksMs ?? []), nowUnixMs].slice(-LOOKS),
      births,
    });
    if (this.#readers.size > MAX_READERS) {
      const [oldest] = this.#readers.keys();
      if (oldest !== undefined) this.#readers.delete(oldest);
    }
    if (known === undefined) return (series) => nowUnixMs - series.startUnixMs <= FIRST_LOOK_MS;
    return (series) => series.birth > known.births;
  }

  /** Takes the look at that time back: nothing of it has reached the reader. */
  missed(reader: string, lookMs: number): void {
    const known = this.#readers.get(reader);
    if (known === undefined) return;
    this.#readers.set(reader, { ...known, looksMs: known.looksMs.filter((each) => each !== lookMs) });
  }

  /** Whether every reader that still comes has looked twice since a time: at 0, where it had to, and at the value. */
  haveSeen(sinceUnixMs: number, nowUnixMs: number): boolean {
    const waitedMs = nowUnixMs - sinceUnixMs;
    if (waitedMs >= PATIENCE_MS) return true;
    const present = [...this.#readers.values()].filter((reader) => isPresent(reader, nowUnixMs));
    if (present.length === 0) return waitedMs >= AWAY_MS;
    return present.every(({ looksMs }) => (looksMs.at(-2) ?? Number.NEGATIVE_INFINITY) > sinceUnixMs);
  }
}

/** Who has looked once, as a person does who is curious, is not known to come again. */
function isPresent({ firstMs, lastMs, looksMs }: Reader, nowUnixMs: number): boolean {
  return (
    lastMs > firstMs && nowUnixMs - lastMs < AWAY_MS && nowUnixMs - (looksMs.at(-1) ?? firstMs) < PATIENCE_MS
  );
}
