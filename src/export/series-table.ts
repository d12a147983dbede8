import { ATTRIBUTES } from "./attributes.ts";
import type { MetricAttributes } from "./metric-attributes.ts";
import type { MetricDefinition, MetricFamily, MetricPoint } from "./metric-family.ts";
import { MetricReaders } from "./metric-readers.ts";
import { Series } from "./series.ts";

export interface SeriesTableOptions {
  /** Attributes of every point. */
  readonly place: MetricAttributes;
  /** Unix time in ms. */
  readonly now: () => number;
  /** Series of one metric, and of all; an overflow series comes on top. */
  readonly maxPerMetric?: number;
  readonly maxSeries?: number;
  /** A series ends when nothing was counted for so long. */
  readonly idleMs?: number;
}

export interface MetricOptions {
  /** Makes it a histogram with these buckets. */
  readonly bounds?: readonly number[];
  /** Series of this metric at most. */
  readonly max?: number;
  /** Attributes of the series that counts what has no room. */
  readonly overflow?: MetricAttributes;
}

/** What the bounds cost. */
export interface SeriesCounts {
  podGone: number;
  idle: number;
  refused: number;
}

/** One metric of the table. */
interface Metric {
  readonly definition: MetricDefinition;
  readonly options: MetricOptions;
  readonly byKey: Map<string, Series>;
  overflow: Series | undefined;
}

/** Finds the series with these attributes; the pod with this uid, while it is known to live, keeps it from ending. */
export type FindSeries = (attributes: MetricAttributes, podUid?: string) => Series;

const MAX_PER_METRIC = 2000;
const MAX_SERIES = 5000;
const IDLE_MS = 3_600_000;
const OVERFLOW: MetricAttributes = { [ATTRIBUTES.metricOverflow]: "true" };

/** The series of all metrics in bounded memory: they end with their pod or idle, and what has no room is counted as one. */
export class SeriesTable {
  readonly counts: SeriesCounts = { podGone: 0, idle: 0, refused: 0 };
  /** Grows when series found before have to be looked up anew: one has ended, or a pod came that holds its own. */
  generation = 0;
  readonly #options: SeriesTableOptions;
  readonly #metrics: Metric[] = [];
  /** Series of the living pods, by uid. */
  readonly #held = new Map<string, Set<Series>>();
  readonly #readers = new MetricReaders();
  #size = 0;
  #births = 0;

  constructor(options: SeriesTableOptions) {
    this.#options = options;
  }

  /** Series held, those of the overflow left out. */
  get size(): number {
    return this.#size;
  }

  /** Begins a metric; gives the function that finds its series with these attributes, which is born when there is none. */
  metric(definition: MetricDefinition, options: MetricOptions = {}): FindSeries {
    const metric: Metric = { definition, options, byKey: new Map(), overflow: undefined };
    this.#metrics.push(metric);
    return (attributes, podUid) => {
      const series = this.#find(metric, attributes);
      if (podUid !== undefined && series !== metric.overflow) this.#hold(podUid, series);
      return series;
    };
  }

  /** Tells of a living pod; the series that it is to have from the start are asked for once, and stay as long as it does. */
  podSeen(uid: string, seriesOf: () => Iterable<Series>): void {
    if (this.#held.has(uid)) return;
    this.#held.set(uid, new Set());
    this.generation++;
    for (const series of seriesOf()) series.isPinned = true;
  }

  /** A pod's series end when every reader has seen the last of them. */
  podGone(uid: string): void {
    const nowUnixMs = this.#options.now();
    for (const series of this.#held.get(uid) ?? []) {
      series.holders.delete(uid);
      if (series.holders.size === 0) series.endingSinceMs = nowUnixMs;
    }
    this.#held.delete(uid);
  }

  /** Ends series whose pod is gone or in which nothing was counted for long: to be called every few seconds. */
  expire(nowUnixMs: number): void {
    for (const metric of this.#metrics) {
      for (const [key, series] of metric.byKey) {
        const reason = this.#endOf(series, nowUnixMs);
        if (reason === undefined) continue;
        this.counts[reason]++;
        for (const uid of series.holders) this.#held.get(uid)?.delete(series);
        metric.byKey.delete(key);
        this.#size--;
        this.generation++;
      }
    }
  }

  /** All metrics for a reader. */
  collect(nowUnixMs: number, reader: string): readonly MetricFamily[] {
    const isNew = this.#readers.look(reader, { nowUnixMs, births: this.#births });
    return this.#metrics.map((metric) => ({ ...metric.definition, points: pointsOf(metric, isNew) }));
  }

  #find(metric: Metric, attributes: MetricAttributes): Series {
    const key = JSON.stringify(attributes);
    const known = metric.byKey.get(key);
    if (known !== undefined) return known;
    const { maxPerMetric = MAX_PER_METRIC, maxSeries = MAX_SERIES } = this.#options;
    const { max = maxPerMetric, overflow = OVERFLOW } = metric.options;
    const isOverflow = key === JSON.stringify(overflow);
    if (isOverflow || metric.byKey.size >= Math.min(max, maxPerMetric) || this.#size >= maxSeries) {
      if (!isOverflow) this.counts.refused++;
      metric.overflow ??= this.#born(metric, overflow);
      return metric.overflow;
    }
    const fresh = this.#born(metric, attributes);
    metric.byKey.set(key, fresh);
    this.#size++;
    return fresh;
  }

  #born({ options: { bounds } }: Metric, attributes: MetricAttributes): Series {
    const { now, place } = this.#options;
    const startUnixMs = now();
    return new Series({ ...place, ...attributes }, { bounds, startUnixMs, birth: ++this.#births });
  }

  /** A pod that nobody has told of holds nothing: nobody would tell of its end. */
  #hold(uid: string, series: Series): void {
    const held = this.#held.get(uid);
    if (held === undefined) return;
    held.add(series);
    series.holders.add(uid);
    series.endingSinceMs = undefined;
  }

  /** Why a series ends now, if it does. */
  #endOf(series: Series, nowUnixMs: number): "podGone" | "idle" | undefined {
    const { endingSinceMs, holders, isPinned } = series;
    const { idleMs = IDLE_MS } = this.#options;
    const idle = series.idleMs(nowUnixMs);
    const lastMs = nowUnixMs - idle;
    if (endingSinceMs !== undefined && this.#readers.haveSeen(Math.max(endingSinceMs, lastMs), nowUnixMs)) {
      return "podGone";
    }
    return idle >= idleMs && !(isPinned && holders.size > 0) ? "idle" : undefined;
  }
}

function* pointsOf({ byKey, overflow }: Metric, isNew: (series: Series) => boolean): Generator<MetricPoint> {
  for (const series of byKey.values()) yield series.point({ asBorn: isNew(series) });
  if (overflow !== undefined) yield overflow.point({ asBorn: isNew(overflow) });
}
