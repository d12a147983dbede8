import { ExponentialHistogram } from "./exponential-histogram.ts";
import type { MetricAttributes, MetricPoint } from "./metric-family.ts";

export interface SeriesOptions {
  /** Of a histogram's buckets. */
  readonly bounds: readonly number[] | undefined;
  /** A histogram counts in exponential buckets as well. */
  readonly exponential: boolean;
  readonly startUnixMs: number;
  readonly birth: number;
}

/** Why a series ends, and since when in ms of Unix time. */
export interface Ending {
  readonly reason: "podGone" | "outranked";
  readonly sinceMs: number;
}

/** One series: what was counted under one set of attributes since it was born. */
export class Series {
  readonly attributes: MetricAttributes;
  /** Unix time in ms of its birth, and its number among all births of the table. */
  readonly startUnixMs: number;
  readonly birth: number;
  /** The count; of a histogram the sum of what was measured. */
  value = 0;
  /** The pod that it is about, where it is one and no other. */
  podUid: string | undefined;
  /** Uids of the living pods whose series it is. */
  readonly holders = new Set<string>();
  /** It stays while a pod holds it, though nothing is counted. */
  isPinned = false;
  /** It is to end when every reader has had the last of it; undefined while a pod holds it, and where none ever did. */
  ending: Ending | undefined;
  /** It has ended: what is counted in it is seen by nobody. */
  isOver = false;
  readonly #bounds: readonly number[] | undefined;
  readonly #counts: number[];
  readonly #exponential: ExponentialHistogram | undefined;
  /** How often something was measured: what is measured may be 0. */
  #measured = 0;
  #changedMs: number;
  #then = 0;

  constructor(attributes: MetricAttributes, { bounds, exponential, startUnixMs, birth }: SeriesOptions) {
    this.attributes = attributes;
    this.startUnixMs = startUnixMs;
    this.birth = birth;
    this.#bounds = bounds;
    this.#counts = new Array(bounds === undefined ? 0 : bounds.length + 1).fill(0);
    this.#exponential = exponential && bounds !== undefined ? new ExponentialHistogram() : undefined;
    this.#changedMs = startUnixMs;
  }

  /** Adds a measured value to a histogram. */
  measure(value: number): void {
    const bounds = this.#bounds ?? [];
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.value += value;
    this.#measured++;
    this.#exponential?.measure(value);
  }

  /** For how long nothing has been counted, in ms, as far as the calls of this function tell. */
  idleMs(nowUnixMs: number): number {
    const now = this.#bounds === undefined ? this.value : this.#measured;
    if (now !== this.#then) {
      this.#then = now;
      this.#changedMs = nowUnixMs;
    }
    return nowUnixMs - this.#changedMs;
  }

  /** The series as it is. */
  point({ isNew }: { readonly isNew: boolean }): MetricPoint {
    const { attributes, startUnixMs, podUid, value } = this;
    const common = { attributes, startUnixMs, podUid, isNew };
    if (this.#bounds === undefined) return { ...common, value };
    const exponential = this.#exponential?.buckets();
    return { ...common, value: { bounds: this.#bounds, counts: this.#counts, sum: value, exponential } };
  }
}
