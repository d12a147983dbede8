import type { MetricAttributes } from "./metric-attributes.ts";
import type { MetricPoint } from "./metric-family.ts";

/** One series: what was counted under one set of attributes since it was born. */
export class Series {
  readonly attributes: MetricAttributes;
  /** Unix time in ms of its birth, and its number among all births of the table. */
  readonly startUnixMs: number;
  readonly birth: number;
  /** The count; of a histogram the sum of what was measured. */
  value = 0;
  readonly #bounds: readonly number[] | undefined;
  readonly #counts: number[];
  /** Uids of the living pods whose series it is. */
  readonly holders = new Set<string>();
  /** It stays while a pod holds it, though nothing is counted. */
  isPinned = false;
  /** Unix time in ms when the last of its pods had gone; undefined while one is there, and where there never was one. */
  endingSinceMs: number | undefined;
  #changedMs: number;
  #valueThen = 0;

  constructor(attributes: MetricAttributes, { bounds, startUnixMs, birth }: SeriesOptions) {
    this.attributes = attributes;
    this.startUnixMs = startUnixMs;
    this.birth = birth;
    this.#bounds = bounds;
    this.#counts = new Array(bounds === undefined ? 0 : bounds.length + 1).fill(0);
    this.#changedMs = startUnixMs;
  }

  /** Adds a measured value to a histogram. */
  measure(value: number): void {
    const bounds = this.#bounds ?? [];
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.value += value;
  }

  /** For how long nothing has been counted, in ms, as far as the calls of this function tell. */
  idleMs(nowUnixMs: number): number {
    if (this.value !== this.#valueThen) {
      this.#valueThen = this.value;
      this.#changedMs = nowUnixMs;
    }
    return nowUnixMs - this.#changedMs;
  }

  /** The series as it is, or as it was at its birth. */
  point({ asBorn }: { readonly asBorn: boolean }): MetricPoint {
    const { attributes, startUnixMs } = this;
    const sum = asBorn ? 0 : this.value;
    if (this.#bounds === undefined) return { attributes, startUnixMs, value: sum };
    const counts = asBorn ? this.#counts.map(() => 0) : this.#counts;
    return { attributes, startUnixMs, value: { bounds: this.#bounds, counts, sum } };
  }
}

export interface SeriesOptions {
  /** Of a histogram's buckets. */
  readonly bounds: readonly number[] | undefined;
  readonly startUnixMs: number;
  readonly birth: number;
}
