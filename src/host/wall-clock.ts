/** One look at both clocks. Recordings store these. */
export interface ClockSample {
  /** CLOCK_MONOTONIC before the wall clock was read, in nanoseconds. */
  readonly monoBefore: bigint;
  /** The wall clock in whole milliseconds since 1970, cut off, not rounded. */
  readonly unixMs: number;
  /** CLOCK_MONOTONIC after the wall clock was read, in nanoseconds. */
  readonly monoAfter: bigint;
}

/** The two clocks: `process.hrtime.bigint` and `Date.now`, unless a test brings its own. */
export interface Clocks {
  readonly mono: () => bigint;
  readonly unixMs: () => number;
}

/** Samples that the offset is held to: old ones leave, so that it follows a slewed clock. */
const WINDOW = 64;
const NANOS_PER_MS = 1_000_000n;

/**
 * Turns CLOCK_MONOTONIC (the trace clock `mono`) into wall-clock time. Each sample bounds the offset from
 * both sides (the millisecond is cut off, so the wall clock read at least `unixMs` and less than 1 ms
 * more). The offset moves only as far as the bounds want it to: up to the highest lower one, which approaches the truth
 * from below, and not back when that is too old to count, so that events keep their order. Samples that contradict each
 * other mean that the wall clock was stepped: the older ones are dropped.
 */
export class WallClock {
  readonly #clocks: Clocks;
  #bounds: { readonly low: bigint; readonly high: bigint }[] = [];
  #offset = 0n;
  #steps = 0;

  constructor(clocks: Clocks = { mono: process.hrtime.bigint, unixMs: Date.now }) {
    this.#clocks = clocks;
  }

  /** Times that the wall clock was found stepped (or slewed out of the window). */
  get steps(): number {
    return this.#steps;
  }

  /** Looks at both clocks, takes the look into account and gives it, for a recording. */
  sample(): ClockSample {
    const monoBefore = this.#clocks.mono();
    const unixMs = this.#clocks.unixMs();
    const sample = { monoBefore, unixMs, monoAfter: this.#clocks.mono() };
    this.add(sample);
    return sample;
  }

  /** Takes a recorded sample into account; replaying them in order gives the same times as live. */
  add({ monoBefore, unixMs, monoAfter }: ClockSample): void {
    const unix = BigInt(unixMs) * NANOS_PER_MS;
    const fresh = { low: unix - monoAfter, high: unix + NANOS_PER_MS - monoBefore };
    const contradicts = this.#bounds.some(({ low, high }) => fresh.low > high || fresh.high < low);
    if (contradicts) {
      this.#bounds = [];
      this.#steps += 1;
    }
    if (this.#bounds.length === 0) this.#offset = fresh.low;
    if (this.#bounds.length === WINDOW) this.#bounds.shift();
    this.#bounds.push(fresh);
    for (const { high } of this.#bounds) if (high < this.#offset) this.#offset = high;
    for (const { low } of this.#bounds) if (low > this.#offset) this.#offset = low;
  }

  /** Nanoseconds since 1970 at a time of CLOCK_MONOTONIC. Throws before the first sample. */
  unixNanos(monoNanos: bigint): bigint {
    if (this.#bounds.length === 0)
      throw new RangeError("Cannot tell the wall-clock time: no sample was taken");
    return monoNanos + this.#offset;
  }
}
