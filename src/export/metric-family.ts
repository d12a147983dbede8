/** Counts of measured values by explicit buckets. */
export interface HistogramValue {
  /** Upper bounds of the buckets, inclusive and ascending; one more bucket is above the last. */
  readonly bounds: readonly number[];
  /** Values in each bucket, not added up; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** One series of a metric at the time of collection. */
export interface MetricPoint {
  readonly attributes: Readonly<Record<string, string>>;
  /** Unix time in ms from which the value counts; of a gauge, when the series began. */
  readonly startUnixMs: number;
  readonly value: number | HistogramValue;
}

export type MetricKind = "counter" | "gauge" | "histogram";

/** A metric's one definition: exporters and documentation read it. */
export interface MetricDefinition {
  /** OpenTelemetry's name, with dots. */
  readonly name: string;
  /** UCUM; `{…}` for what is counted, `1` for a ratio or a state. */
  readonly unit: string;
  readonly kind: MetricKind;
  readonly description: string;
}

/** A metric with its points, as any exporter can write it. The points are good until the next tick. */
export interface MetricFamily extends MetricDefinition {
  readonly points: Iterable<MetricPoint>;
}

/** What can be asked for metrics. */
export interface MetricSource {
  /**
   * All families at this Unix time in ms, those without points too. `reader` names who asks, the same at each time: every
   * reader is shown a new series at 0 once, so two that share a name take the zeroes from each other.
   */
  collect(nowUnixMs: number, reader?: string): readonly MetricFamily[];
}
