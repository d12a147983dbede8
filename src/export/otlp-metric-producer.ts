import { type HrTime, ValueType } from "@opentelemetry/api";
import type { InstrumentationScope } from "@opentelemetry/core";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type ExponentialHistogram,
  type Histogram,
  type MetricData,
  type MetricProducer,
  type ScopeMetrics,
} from "@opentelemetry/sdk-metrics";
import type {
  ExponentialBuckets,
  HistogramValue,
  MetricFamily,
  MetricPoint,
  MetricSource,
} from "./metric-family.ts";

/** The reader that exporters over OTLP are to a source; one exporter to each source. */
export const OTLP_READER = "otlp";

export interface OtlpProducerOptions {
  readonly source: MetricSource;
  readonly scope: InstrumentationScope;
  /** Unix time in ms. */
  readonly now: () => number;
}

/** What a point says beside what the SDK knows of. */
export interface SourcePoint<T = unknown> extends DataPoint<T> {
  /** The local pod that it is about, where it is one. */
  readonly podUid: string | undefined;
}

/** Metrics of a source, not of the SDK's own instruments. */
export interface SourceScopeMetrics extends ScopeMetrics {
  /** Unix time in ms at which they were collected. */
  readonly collectedUnixMs: number;
  /** Names of the metrics that are observed, not counted as things happen. */
  readonly observed: ReadonlySet<string>;
}

/** Gives a source's metrics to a reader of the SDK: cumulative since each series began, at times that never go back. */
export function otlpMetricProducer({ source, scope, now }: OtlpProducerOptions): MetricProducer {
  let last = 0;
  return {
    collect: async () => {
      last = Math.max(now(), last + 1); // a receiver refuses what is older than what it has: clocks are set back
      const families = source.collect(last, OTLP_READER);
      const scopeMetrics: SourceScopeMetrics = {
        scope,
        metrics: families.flatMap((family) => metricData(family, last)),
        collectedUnixMs: last,
        observed: new Set(families.filter(({ isObserved }) => isObserved).map(({ name }) => name)),
      };
      return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [scopeMetrics] }, errors: [] };
    },
  };
}

/** A Unix time in whole ms as OpenTelemetry's SDK has it. */
export function hrTimeOf(unixMs: number): HrTime {
  return [Math.floor(unixMs / 1000), Math.round((unixMs % 1000) * 1_000_000)];
}

/** A family is one metric of the SDK; one without points is none. */
function metricData(family: MetricFamily, nowUnixMs: number): readonly MetricData[] {
  const { name, description, unit, kind } = family;
  const numbers: SourcePoint<number>[] = [];
  const explicit: SourcePoint<Histogram>[] = [];
  const exponential: SourcePoint<ExponentialHistogram>[] = [];
  for (const point of family.points) {
    const { value } = point;
    const common = commonOf(point, nowUnixMs);
    if (typeof value === "number") numbers.push({ ...common, value });
    else if (value.exponential === undefined) explicit.push({ ...common, value: explicitOf(value) });
    else exponential.push({ ...common, value: exponentialOf(value, value.exponential) });
  }
  const common = {
    descriptor: { name, description, unit, valueType: unit === "s" ? ValueType.DOUBLE : ValueType.INT },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const all: MetricData[] = [
    kind === "gauge"
      ? { ...common, dataPointType: DataPointType.GAUGE, dataPoints: numbers }
      : { ...common, dataPointType: DataPointType.SUM, isMonotonic: kind === "counter", dataPoints: numbers },
    { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: explicit },
    { ...common, dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM, dataPoints: exponential },
  ];
  return all.filter(({ dataPoints }) => dataPoints.length > 0);
}

function commonOf({ attributes, startUnixMs, podUid }: MetricPoint, nowUnixMs: number) {
  const startTime = hrTimeOf(Math.min(startUnixMs, nowUnixMs));
  return { attributes, startTime, endTime: hrTimeOf(nowUnixMs), podUid };
}

/** The tick goes on while an export is under way: what it counts in is copied. */
function explicitOf({ bounds, counts, sum }: HistogramValue): Histogram {
  return { buckets: { boundaries: [...bounds], counts: [...counts] }, sum, count: total(counts) };
}

function exponentialOf({ sum, counts }: HistogramValue, buckets: ExponentialBuckets): ExponentialHistogram {
  const { scale, zeroCount, offset } = buckets;
  const positive = { offset, bucketCounts: [...buckets.counts] };
  return { count: total(counts), sum, scale, zeroCount, positive, negative: { offset: 0, bucketCounts: [] } };
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
