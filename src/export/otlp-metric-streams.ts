import type { HrTime } from "@opentelemetry/api";
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

export interface MetricStreamsOptions {
  readonly temporality: Temporality;
  /** Points about one pod are sent apart from others'. */
  readonly byPod: boolean;
}

/** Points of a metric as they are sent. */
export interface OutgoingMetric {
  /** The metric, without points. */
  readonly metric: MetricData;
  readonly points: readonly OutgoingPoint[];
}

export interface OutgoingPoint {
  readonly point: DataPoint<OtlpValue>;
  readonly podUid: string | undefined;
  /** To be called when the receiver has it, or will never have it. */
  readonly settled: () => void;
}

/** What the receiver has of a series, or has refused. */
interface Settled {
  /** As the source counts. */
  readonly value: OtlpValue;
  readonly endTime: HrTime;
  /** The pod whose series it was, and what it was sent as: from when, and less what was an earlier pod's. */
  readonly podUid: string | undefined;
  readonly startTime: HrTime;
  readonly base: OtlpValue | undefined;
}

/** A series' zero is not set further back: receivers refuse what is old (Prometheus after an hour). */
const MAX_ZERO_AGE_MS = 1_800_000;

/** Knows what a receiver has of each series, so that it is sent what it lacks and nothing twice. */
export class MetricStreams {
  readonly #options: MetricStreamsOptions;
  /** By the attributes, which are one object as long as a series lives. */
  readonly #settled = new WeakMap<object, Settled>();

  constructor(options: MetricStreamsOptions) {
    this.#options = options;
  }

  /** The points of a metric of a source in this reader's temporality. */
  outgoing(metric: MetricData, { isObserved }: { readonly isObserved: boolean }): OutgoingMetric {
    const { temporality } = this.#options;
    const isDelta = temporality === "delta" || (temporality === "lowmemory" && !isObserved);
    const aggregationTemporality = isDelta ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
    const points = metric.dataPoints.flatMap((point: DataPoint<OtlpValue>) => {
      if (metric.dataPointType === DataPointType.GAUGE) return [this.#asItIs(point)];
      return isDelta ? this.#delta(point) : this.#cumulative(point);
    });
    return { metric: { ...metric, aggregationTemporality }, points };
  }

  /** What was counted since the receiver was told last; the first one is told though it be 0. */
  #delta(point: DataPoint<OtlpValue>): readonly OutgoingPoint[] {
    const known = this.#settled.get(point.attributes);
    const podUid = this.#podUid(point);
    const { value, endTime } = point;
    const taken = { value, endTime, podUid, startTime: point.startTime, base: undefined };
    if (known === undefined) return [this.#outgoing(point, taken)];
    if (isSameValue(value, known.value)) return [];
    const since = { ...point, startTime: known.endTime, value: valueSince(value, known.value) };
    return [this.#outgoing(since, taken)];
  }

  /** What was counted since the series began; a new one begins with a 0, so that its first value is an increase. */
  #cumulative(point: DataPoint<OtlpValue>): readonly OutgoingPoint[] {
    const known = this.#settled.get(point.attributes);
    const podUid = this.#podUid(point);
    const { value, endTime } = point;
    if (known !== undefined && known.podUid === podUid) {
      const { startTime, base } = known;
      const shown = base === undefined ? value : valueSince(value, base);
      const taken = { value, endTime, podUid, startTime, base };
      return [this.#outgoing({ ...point, startTime, value: shown }, taken)];
    }
    // A pod that has the name of one before it goes on with its series; with resources of their own they are two.
    const base = known?.value;
    const startTime = zeroTime(known?.endTime ?? point.startTime, endTime);
    const shown = base === undefined ? value : valueSince(value, base);
    const taken = { value, endTime, podUid, startTime, base };
    const zero = { ...point, startTime, endTime: startTime, value: valueAtBirth(value) };
    return [
      { point: zero, podUid, settled: () => {} },
      this.#outgoing({ ...point, startTime, value: shown }, taken),
    ];
  }

  #asItIs(point: DataPoint<OtlpValue>): OutgoingPoint {
    return { point, podUid: this.#podUid(point), settled: () => {} };
  }

  #podUid(point: DataPoint<OtlpValue>): string | undefined {
    return this.#options.byPod ? (point as Partial<SourcePoint>).podUid : undefined;
  }

  #outgoing(point: DataPoint<OtlpValue>, taken: Settled): OutgoingPoint {
    const { podUid } = taken;
    return { point, podUid, settled: () => this.#settled.set(point.attributes, taken) };
  }
}

/** When a series was 0: at its start, unless that is too long ago or not before its first value. */
function zeroTime(startTime: HrTime, endTime: HrTime): HrTime {
  const [startMs, endMs] = [unixMsOf(startTime), unixMsOf(endTime)];
  return hrTimeOf(Math.max(Math.min(startMs, endMs - 1), endMs - MAX_ZERO_AGE_MS));
}

function unixMsOf([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1_000_000;
}
