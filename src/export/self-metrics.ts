import { type Place, placeAttributes } from "./metric-attributes.ts";
import type { MetricAttributes, MetricFamily, MetricPoint, MetricSource } from "./metric-family.ts";
import { type Born, MetricReaders } from "./metric-readers.ts";
import { SELF_METRICS } from "./self-metric-definitions.ts";

/** One value of a metric with attributes of its own. */
export interface SelfReading {
  readonly attributes: MetricAttributes;
  readonly value: number;
}

/** Reads what the agent says of itself; undefined where that is not known now. A counter never goes back. */
export type ReadSelf = () => number | readonly SelfReading[] | undefined;

/** One for each metric. */
export type SelfReadings = Readonly<Record<keyof typeof SELF_METRICS, ReadSelf>>;

export interface SelfMetricsOptions {
  readonly place: Place;
  /** Unix time in ms at which all counters were 0. */
  readonly startUnixMs: number;
  readonly readings: SelfReadings;
}

/** A series since it was first read. */
interface Known extends Born {
  readonly attributes: MetricAttributes;
}

/** The agent's own metrics, read when they are asked for. */
export class SelfMetrics implements MetricSource {
  readonly #options: SelfMetricsOptions;
  readonly #place: MetricAttributes;
  readonly #readers = new MetricReaders();
  /** Bounded by what is read: the attributes of each reading have few values, of closed sets. */
  readonly #known = new Map<string, Known>();
  #births = 0;
  /** Unix time in ms of the last look: what was not there then was 0. */
  #lookedMs: number;

  constructor(options: SelfMetricsOptions) {
    this.#options = options;
    this.#place = placeAttributes(options.place);
    this.#lookedMs = options.startUnixMs;
  }

  collect(nowUnixMs: number, reader: string): readonly MetricFamily[] {
    const read = Object.entries(this.#options.readings).map(
      ([key, reading]) => [SELF_METRICS[key as keyof SelfReadings], this.#read(key, reading())] as const,
    );
    const isNew = this.#readers.look(reader, { nowUnixMs, births: this.#births });
    this.#lookedMs = nowUnixMs;
    return read.map(([definition, values]) => ({
      ...definition,
      isObserved: true,
      points: values.map(({ known, value }): MetricPoint => {
        const { attributes, startUnixMs } = known;
        return { attributes, startUnixMs, value, isNew: isNew(known), podUid: undefined };
      }),
    }));
  }

  missed(reader: string, collectedUnixMs: number): void {
    this.#readers.missed(reader, collectedUnixMs);
  }

  #read(metric: string, read: ReturnType<ReadSelf>) {
    if (read === undefined) return [];
    const readings = typeof read === "number" ? [{ attributes: {}, value: read }] : read;
    return readings.map(({ attributes, value }) => ({ known: this.#find(metric, attributes), value }));
  }

  #find(metric: string, attributes: MetricAttributes): Known {
    const key = `${metric} ${JSON.stringify(attributes)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const birth = ++this.#births;
    const fresh = { attributes: { ...this.#place, ...attributes }, startUnixMs: this.#lookedMs, birth };
    this.#known.set(key, fresh);
    return fresh;
  }
}
