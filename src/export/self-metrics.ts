import { type MetricAttributes, type Place, placeAttributes } from "./metric-attributes.ts";
import type { MetricFamily, MetricPoint, MetricSource } from "./metric-family.ts";
import { SELF_METRICS } from "./metrics.ts";

/** One value of a metric with attributes of its own. */
export interface SelfReading {
  readonly attributes: MetricAttributes;
  readonly value: number;
}

/** Reads what the agent says of itself; undefined where that is not known now. */
export type ReadSelf = () => number | readonly SelfReading[] | undefined;

/** One for each metric. */
export type SelfReadings = Readonly<Record<keyof typeof SELF_METRICS, ReadSelf>>;

export interface SelfMetricsOptions {
  readonly place: Place;
  /** Unix time in ms at which all counters were 0. */
  readonly startUnixMs: number;
  readonly readings: SelfReadings;
}

/** The agent's own metrics, read when they are asked for. */
export class SelfMetrics implements MetricSource {
  readonly #options: SelfMetricsOptions;
  readonly #place: MetricAttributes;

  constructor(options: SelfMetricsOptions) {
    this.#options = options;
    this.#place = placeAttributes(options.place);
  }

  collect(): readonly MetricFamily[] {
    const { readings } = this.#options;
    return Object.entries(readings).map(([key, read]) => ({
      ...SELF_METRICS[key as keyof SelfReadings],
      points: this.#points(read()),
    }));
  }

  #points(read: ReturnType<ReadSelf>): readonly MetricPoint[] {
    if (read === undefined) return [];
    const readings = typeof read === "number" ? [{ attributes: {}, value: read }] : read;
    const { startUnixMs } = this.#options;
    return readings.map(({ attributes, value }) => ({
      attributes: { ...this.#place, ...attributes },
      startUnixMs,
      value,
    }));
  }
}
