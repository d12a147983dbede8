import type { HrTime } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type MetricData,
} from "@opentelemetry/sdk-metrics";
import { hrTimeOf, type SourcePoint } from "./otlp-metric-producer.ts";
import { isSameValue, type OtlpValue, valueAtBirth, valueSince } from "./otlp-metric-values.ts";

/** Whether values count since a series began, or since the last ones that were taken; `lowmemory` as its variable says. */
export const TEMPORALITIES = ["cumulative", "delta", "lowmemory"] as const;
export type Temporality = (typeof TEMPORALITIES)[number];

export interface OutgoingOptions {
  /** The metric is read when someone asks, not counted as things happen. */
  readonly isObserved: boolean;
  /** The resource of a pod, the same object each time; undefined is the agent's. */
  readonly resourceOf: (podUid: string) => Resource | undefined;
}

/** Points of a metric as they are sent. */
export interface OutgoingMetric {
  /** The metric, without points. */
  readonly metric: MetricData;
  readonly points: readonly OutgoingPoint[];
}

export interface OutgoingPoint {
  readonly point: DataPoint<OtlpValue>;
  /** Whose it is; undefined: the agent's. */
  readonly resource: Resource | undefined;
  /** To be called when the receiver has it, or will never have it. */
  readonly settled: () => void;
}

/** What the receiver has of a series, or has refused. */
interface Settled {
  /** As the source counts. */
  readonly value: OtlpValue;
  readonly endTime: HrTime;
  /** Whose it was, and what it was sent as: from when, and less what was another's before. */
  readonly resource: Resource | undefined;
  readonly startTime: HrTime;
  readonly base: OtlpValue | undefined;
}

/** A series' zero is not set further back: receivers refuse what is old (Prometheus after an hour). */
const MAX_ZERO_AGE_MS = 1_800_000;

/** Knows what a receiver has of each series, so that it is sent what it lacks and nothing twice. */
export class MetricStreams {
  readonly #temporality: Temporality;
  /** By the attributes, which are one object as long as a series lives. */
  readonly #settled = new WeakMap<object, Settled>();

  constructor(temporality: Temporality) {
    this.#temporality = temporality;
  }

  /** The points of a metric of a source in this reader's temporality. */
  outgoing(metric: MetricData, { isObserved, resourceOf }: OutgoingOptions): OutgoingMetric {
    if (mayFall(metric)) return { metric, points: this.#asTheyAre(metric, resourceOf) };
    const isDelta = this.#temporality === "delta" || (this.#temporality === "lowmemory" && !isObserved);
    const aggregationTemporality = isDelta ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
    const points = metric.dataPoints.flatMap((point: DataPoint<OtlpValue>) => {
      const resource = resourceOfPoint(point, resourceOf);
      return isDelta ? this.#delta(point, resource) : this.#cumulative(point, resource);
    });
    return { metric: { ...metric, aggregationTemporality }, points };
  }

  /** A sum that may fall is cumulative whatever the temporality is, and an increase of it means nothing. */
  #asTheyAre(metric: MetricData, resourceOf: OutgoingOptions["resourceOf"]): readonly OutgoingPoint[] {
    return metric.dataPoints.map((point: DataPoint<OtlpValue>) => {
      return { point, resource: resourceOfPoint(point, resourceOf), settled: () => {} };
    });
  }

  /** What was counted since the receiver was told last; the first one is told though it be 0. */
  #delta(point: DataPoint<OtlpValue>, resource: Resource | undefined): readonly OutgoingPoint[] {
    const known = this.#settled.get(point.attributes);
    const { value, startTime, endTime } = point;
    const taken = { value, startTime, endTime, resource, base: undefined };
    if (known === undefined) return [this.#outgoing(point, taken)];
    if (isSameValue(value, known.value)) return [];
    const since = { ...point, startTime: known.endTime, value: valueSince(value, known.value) };
    return [this.#outgoing(since, taken)];
  }

  /** What was counted since the series began; a new one begins with a 0, so that its first value is an increase. */
  #cumulative(point: DataPoint<OtlpValue>, resource: Resource | undefined): readonly OutgoingPoint[] {
    const known = this.#settled.get(point.attributes);
    const { value, endTime } = point;
    // A pod that has the name of one before it goes on with its series; under resources of their own they are two.
    const isNew = known === undefined || known.resource !== resource;
    const base = isNew ? known?.value : known.base;
    const startTime = isNew ? zeroTime(known?.endTime ?? point.startTime, endTime) : known.startTime;
    const shown = { ...point, startTime, value: base === undefined ? value : valueSince(value, base) };
    const sent = this.#outgoing(shown, { value, startTime, endTime, resource, base });
    if (!isNew) return [sent];
    const zero = { ...point, startTime, endTime: startTime, value: valueAtBirth(value) };
    return [{ point: zero, resource, settled: () => {} }, sent];
  }

  #outgoing(point: DataPoint<OtlpValue>, taken: Settled): OutgoingPoint {
    const { resource } = taken;
    return { point, resource, settled: () => this.#settled.set(point.attributes, taken) };
  }
}

function mayFall(metric: MetricData): boolean {
  const { dataPointType } = metric;
  return (
    dataPointType === DataPointType.GAUGE || (dataPointType === DataPointType.SUM && !metric.isMonotonic)
  );
}

function resourceOfPoint(point: DataPoint<OtlpValue>, resourceOf: OutgoingOptions["resourceOf"]) {
  const { podUid } = point as Partial<SourcePoint>;
  return podUid === undefined ? undefined : resourceOf(podUid);
}

/** When a series was 0: at its start, unless that is too long ago or not before its first value. */
function zeroTime(startTime: HrTime, endTime: HrTime): HrTime {
  const [startMs, endMs] = [unixMsOf(startTime), unixMsOf(endTime)];
  return hrTimeOf(Math.max(Math.min(startMs, endMs - 1), endMs - MAX_ZERO_AGE_MS));
}

function unixMsOf([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1_000_000;
}
