import { bySegments, emptyTally, mergeTally, type Tally } from "./tally.ts";

/** The largest tallies by themselves, and the rest as one. */
export interface TalliesView<T extends Tally> {
  /** Most segments first. */
  readonly rows: readonly T[];
  /** How many are in `otherTally`; one that was folded and came back counts again. */
  readonly others: number;
  readonly otherTally: Tally;
}

/** Tallies by key in bounded memory: when full, the smaller half is folded into one. */
export class BoundedTallies<T extends Tally> {
  readonly #max: number;
  readonly #byKey = new Map<string, T>();
  readonly #folded = emptyTally();
  #foldedCount = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, make: () => T): T {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    if (this.#byKey.size >= this.#max) this.#fold();
    const fresh = make();
    this.#byKey.set(key, fresh);
    return fresh;
  }

  /** What is held, with at most so many rows. */
  view(rows: number): TalliesView<T> {
    const sorted = [...this.#byKey.values()].sort(bySegments);
    const otherTally = emptyTally();
    mergeTally(otherTally, this.#folded);
    for (const tally of sorted.slice(rows)) mergeTally(otherTally, tally);
    const others = this.#foldedCount + Math.max(0, sorted.length - rows);
    return { rows: sorted.slice(0, rows), others, otherTally };
  }

  #fold(): void {
    const sorted = [...this.#byKey].sort(([, a], [, b]) => bySegments(a, b));
    for (const [key, tally] of sorted.slice(this.#max >> 1)) {
      mergeTally(this.#folded, tally);
      this.#foldedCount += 1;
      this.#byKey.delete(key);
    }
  }
}
