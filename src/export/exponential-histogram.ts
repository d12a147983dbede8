import type { ExponentialBuckets } from "./metric-family.ts";

/** The scale at which OpenTelemetry begins; 2^20 buckets for each doubling. */
const MAX_SCALE = 20;
const MAX_BUCKETS = 160;

/** Counts values in base-2 exponential buckets, as fine as its 160 buckets can be for what came so far. */
export class ExponentialHistogram {
  #scale = MAX_SCALE;
  #zeroCount = 0;
  #offset = 0;
  #counts: number[] = [];

  measure(value: number): void {
    if (value <= 0) {
      this.#zeroCount++;
      return;
    }
    const index = finestIndex(value) >> (MAX_SCALE - this.#scale);
    const isFirst = this.#counts.length === 0;
    const low = isFirst ? index : Math.min(index, this.#offset);
    const high = isFirst ? index : Math.max(index, this.#offset + this.#counts.length - 1);
    const by = shiftToFit(low, high);
    this.#coarsen(by);
    this.#stretch(low >> by, high >> by);
    const bucket = (index >> by) - this.#offset;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** What was counted so far; does not change any more. */
  buckets(): ExponentialBuckets {
    const scale = this.#counts.length === 0 ? 0 : this.#scale;
    return { scale, zeroCount: this.#zeroCount, offset: this.#offset, counts: this.#counts.slice() };
  }

  #coarsen(by: number): void {
    if (by === 0) return;
    const coarse = coarser({ offset: this.#offset, counts: this.#counts }, by);
    this.#scale -= by;
    this.#offset = coarse.offset;
    this.#counts = coarse.counts;
  }

  #stretch(low: number, high: number): void {
    if (this.#counts.length === 0) this.#offset = low;
    for (; this.#offset > low; this.#offset--) this.#counts.unshift(0);
    while (this.#offset + this.#counts.length <= high) this.#counts.push(0);
  }
}

/** What was counted after `before`, which is an earlier state of the same histogram. */
export function exponentialSince(now: ExponentialBuckets, before: ExponentialBuckets): ExponentialBuckets {
  const earlier = coarser(before, Math.max(0, before.scale - now.scale));
  const moved = now.counts.map((count, i) => count - (earlier.counts[now.offset + i - earlier.offset] ?? 0));
  const first = moved.findIndex((count) => count !== 0);
  const last = moved.findLastIndex((count) => count !== 0);
  const counts = first < 0 ? [] : moved.slice(first, last + 1);
  return {
    scale: now.scale,
    zeroCount: now.zeroCount - before.zeroCount,
    offset: now.offset + Math.max(0, first),
    counts,
  };
}

/** Index at the finest scale of the bucket that holds a value: those are open below and closed above. */
function finestIndex(value: number): number {
  const exponent = Math.log2(value);
  if (Number.isInteger(exponent) && 2 ** exponent === value) return exponent * 2 ** MAX_SCALE - 1;
  return Math.floor(exponent * 2 ** MAX_SCALE);
}

/** Halvings of the scale until the buckets from one index to another are few enough. */
function shiftToFit(low: number, high: number): number {
  let by = 0;
  while ((high >> by) - (low >> by) >= MAX_BUCKETS) by++;
  return by;
}

function coarser(
  { offset, counts }: Pick<ExponentialBuckets, "offset" | "counts">,
  by: number,
): { readonly offset: number; readonly counts: number[] } {
  const start = offset >> by;
  const sums: number[] = [];
  for (const [i, count] of counts.entries()) {
    const bucket = ((offset + i) >> by) - start;
    sums[bucket] = (sums[bucket] ?? 0) + count;
  }
  return { offset: start, counts: sums };
}
