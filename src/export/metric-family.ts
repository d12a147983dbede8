/** Counts of measured values by buckets whose bounds grow by the base 2^(2^-scale), as OpenTelemetry's data model has them. */
export interface ExponentialBuckets {
  readonly scale: number;
  /** Values of 0, or less. */
  readonly zeroCount: number;
  /** Index of the first bucket: bucket i holds values above base^i and up to base^(i+1). */
  readonly offset: number;
  readonly counts: readonly number[];
}

/** Counts of measured values by explicit buckets. */
export interface HistogramValue {
  /** Upper bounds of the buckets, inclusive and ascending; one more bucket is above the last. */
  readonly bounds: readonly number[];
  /** Values in each bucket, not added up; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
  /** The same values once more, where the configuration asks for them. */
  readonly exponential: ExponentialBuckets | undefined;
}

/** Attributes of a point. */
export type MetricAttributes = Readonly<Record<string, string | number | boolean>>;

/** One series of a metric at the time of collection. */
export interface MetricPoint {
  /** The same object as long as the series lives. */
  readonly attributes: MetricAttributes;
  /** Unix time in ms from which the value counts; of a gauge or what goes up and down, when the series began. */
  readonly startUnixMs: number;
  readonly value: number | HistogramValue;
  /** The reader has not been shown this series before: it should see it at 0 first, unless its value may fall. */
  readonly isNew: boolean;
  /** The local pod that the series is about, where it is one and no other. */
  readonly podUid: string | undefined;
}

/** OpenTelemetry's instruments; `updowncounter` is a sum whose value may fall, which Prometheus knows as a gauge. */
export type MetricKind = "counter" | "updowncounter" | "gauge" | "histogram";

/** A metric's one definition: exporters and documentation read it. */
export interface MetricDefinition {
  /** OpenTelemetry's name, with dots. */
  readonly name: string;
  /** UCUM; `{…}` for what is counted. */
  readonly unit: string;
  readonly kind: MetricKind;
  readonly description: string;
  /** Its value is kept elsewhere and read when someone asks: what OpenTelemetry calls an observable instrument. */
  readonly isObserved?: true;
}

/** A metric with its points, as any exporter can write it. The points are good until the next tick. */
export interface MetricFamily extends MetricDefinition {
  readonly points: readonly MetricPoint[];
}

/** What can be asked for metrics. */
export interface MetricSource {
  /**
   * All families at this Unix time in ms, those without points too. `reader` names who asks, the same at each time: each
   * reader is shown what is new to it, and what ends stays until every one of them has had the last of it.
   */
  collect(nowUnixMs: number, reader: string): readonly MetricFamily[];
  /** Tells that what was collected at that time did not reach its reader. */
  missed(reader: string, collectedUnixMs: number): void;
}
