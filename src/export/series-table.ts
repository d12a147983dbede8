import type { PodRecord } from "../event/cluster.ts";
import { ATTRIBUTES } from "./attributes.ts";
import type { MetricAttributes, MetricDefinition, MetricFamily, MetricPoint } from "./metric-family.ts";
import { type Born, MetricReaders } from "./metric-readers.ts";
import { type Ending, Series } from "./series.ts";

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
  /** Histograms count in exponential buckets as well. */
  readonly exponential?: boolean;
}

export interface MetricOptions {
  /** Makes it a histogram with these buckets. */
  readonly bounds?: readonly number[];
  /** Each series with a pod is about that pod alone. */
  readonly ofPod?: boolean;
  /** Series of this metric at most. */
  readonly max?: number;
  /** Attributes of the series that counts what has no room. */
  readonly overflow?: MetricAttributes;
}

/** What the bounds cost. */
export interface SeriesCounts {
  podGone: number;
  outranked: number;
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

/** Finds the series with these attributes; the pod, while it is known to live, keeps it from ending. */
export type FindSeries = (attributes: MetricAttributes, pod?: PodRecord) => Series;

const MAX_PER_METRIC = 2000;
const MAX_SERIES = 5000;
const IDLE_MS = 3_600_000;
const OVERFLOW: MetricAttributes = { [ATTRIBUTES.metricOverflow]: true };

/** The series of all metrics in bounded memory: they end with their pod or idle, and what has no room is counted as one. */
export class SeriesTable {
  readonly counts: SeriesCounts = { podGone: 0, outranked: 0, idle: 0, refused: 0 };
  readonly #options: SeriesTableOptions;
  readonly #metrics: Metric[] = [];
  /** Series of the living pods, by uid. */
  readonly #held = new Map<string, Set<Series>>();
  readonly #readers = new MetricReaders();
  #generation = 0;
  #size = 0;
  #births = 0;

  constructor(options: SeriesTableOptions) {
    this.#options = options;
  }

  /** Series held, those of the overflow left out. */
  get size(): number {
    return this.#size;
  }

  /** Grows when series found before have to be looked up anew: one has ended, or a pod came that holds its own. */
  get generation(): number {
    return this.#generation;
  }

  /** Begins a metric; gives the function that finds its series with these attributes, which is born when there is none. */
  metric(definition: MetricDefinition, options: MetricOptions = {}): FindSeries {
    const metric: Metric = { definition, options, byKey: new Map(), overflow: undefined };
    this.#metrics.push(metric);
    return (attributes, pod) => {
      const series = this.#find(metric, attributes);
      if (pod !== undefined && series !== metric.overflow) {
        // A dead pod's sockets speak on under a name that another may have by now.
        if (options.ofPod === true && (this.#held.has(pod.uid) || series.holders.size === 0)) {
          series.podUid = pod.uid;
        }
        this.#hold(pod, series);
      }
      return series;
    };
  }

  /** Tells of a living pod; the series that it is to have from the start are asked for once, and stay as long as it does. */
  podSeen(uid: string, seriesOf: () => Iterable<Series>): void {
    if (this.#held.has(uid)) return;
    this.#held.set(uid, new Set());
    this.#generation++;
    for (const series of seriesOf()) series.isPinned = true;
  }

  /** A pod's series end when every reader has seen the last of them. */
  podGone(uid: string): void {
    for (const series of this.#held.get(uid) ?? []) {
      series.holders.delete(uid);
      if (series.holders.size === 0) this.retire(series, "podGone");
    }
    this.#held.delete(uid);
  }

  /** Lets a series end when every reader has seen the last of it. */
  retire(series: Series, reason: Ending["reason"]): void {
    series.ending = { reason, sinceMs: this.#options.now() };
  }

  /** Ends series that are to end, and those in which nothing was counted for long: to be called every few seconds. */
  expire(nowUnixMs: number): void {
    for (const metric of this.#metrics) {
      for (const [key, series] of metric.byKey) {
        const reason = this.#endOf(series, nowUnixMs);
        if (reason === undefined) continue;
        this.counts[reason]++;
        for (const uid of series.holders) this.#held.get(uid)?.delete(series);
        metric.byKey.delete(key);
        series.isOver = true;
        this.#size--;
        this.#generation++;
      }
    }
  }

  /** All metrics for a reader. */
  collect(nowUnixMs: number, reader: string): readonly MetricFamily[] {
    const isNew = this.#readers.look(reader, { nowUnixMs, births: this.#births });
    return this.#metrics.map((metric) => ({ ...metric.definition, points: pointsOf(metric, isNew) }));
  }

  missed(reader: string, collectedUnixMs: number): void {
    this.#readers.missed(reader, collectedUnixMs);
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
    const { now, place, exponential = false } = this.#options;
    const birth = ++this.#births;
    return new Series({ ...place, ...attributes }, { bounds, exponential, startUnixMs: now(), birth });
  }

  /** A pod that nobody has told of holds nothing: nobody would tell of its end. */
  #hold({ uid, endedMs }: PodRecord, series: Series): void {
    const held = this.#held.get(uid);
    if (held !== undefined) {
      held.add(series);
      series.holders.add(uid);
      series.ending = undefined;
    } else if (endedMs !== undefined && series.holders.size === 0 && series.ending === undefined) {
      this.retire(series, "podGone"); // of a pod that was gone before its sockets were
    }
  }

  /** Why a series ends now, if it does: never before every reader has had the last of it. */
  #endOf(series: Series, nowUnixMs: number): Exclude<keyof SeriesCounts, "refused"> | undefined {
    const { ending, holders, isPinned } = series;
    const { idleMs = IDLE_MS } = this.#options;
    const idle = series.idleMs(nowUnixMs);
    const isIdle = idle >= idleMs && !(isPinned && holders.size > 0);
    if (ending === undefined && !isIdle) return undefined;
    const lastMs = Math.max(ending?.sinceMs ?? 0, nowUnixMs - idle);
    return this.#readers.haveSeen(lastMs, nowUnixMs) ? (ending?.reason ?? "idle") : undefined;
  }
}

function pointsOf({ byKey, overflow }: Metric, isNew: (series: Born) => boolean): readonly MetricPoint[] {
  const all = overflow === undefined ? byKey.values() : [...byKey.values(), overflow];
  return Array.from(all, (series) => series.point({ isNew: isNew(series) }));
}
