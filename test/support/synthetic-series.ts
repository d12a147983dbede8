import type { MetricAttributes, MetricDefinition } from "../../src/export/metric-family.ts";
import { prometheusLabel, prometheusName } from "../../src/export/prometheus-name.ts";

const BOUNDS = Array.from({ length: 10 }, (_, i) => 0.2 * 2 ** i);

/** One series: its labels, and the samples so far as text. */
interface Series {
  readonly name: string;
  readonly labels: string;
  value: number;
  readonly samples: string[];
}

/** The series of one history while it is made. */
export interface History {
  readonly families: Map<
    string,
    { readonly definition: MetricDefinition; readonly series: Map<string, Series> }
  >;
  readonly random: () => number;
}

/** A history without anything in it; its random numbers are the same each time. */
export function beginHistory(): History {
  return { families: new Map(), random: seeded(7) };
}

/** Takes a sample of each series. */
export function takeSamples({ families }: History, seconds: number): void {
  for (const { definition, series } of families.values())
    for (const each of series.values())
      takeSample(each, prometheusName(definition).type === "gauge", seconds);
}

/** A counter's first sample is 0, as the agent shows it. */
function takeSample(series: Series, isGauge: boolean, seconds: number): void {
  const { name, labels, value, samples } = series;
  const shown = samples.length === 0 && !isGauge ? 0 : value;
  samples.push(`${name}${labels} ${Math.round(shown * 1e6) / 1e6} ${seconds}\n`);
}

/** Adds to a histogram. */
export function measure(
  history: History,
  definition: MetricDefinition,
  attributes: MetricAttributes,
  seconds: number,
): void {
  for (const bound of [...BOUNDS, Number.POSITIVE_INFINITY]) {
    const le = bound === Number.POSITIVE_INFINITY ? "+Inf" : String(bound);
    add(history, definition, { ...attributes, le }, seconds <= bound ? 1 : 0, "bucket");
  }
  add(history, definition, attributes, seconds, "sum");
  add(history, definition, attributes, 1, "count");
}

type How = "add" | "set" | "bucket" | "sum" | "count";

/** Adds to a series, or sets it. */
export function add(
  history: History,
  definition: MetricDefinition,
  attributes: MetricAttributes,
  value: number,
  how: How = "add",
): void {
  const { families } = history;
  const family = families.get(definition.name) ?? { definition, series: new Map<string, Series>() };
  families.set(definition.name, family);
  const labels = `{${Object.entries(attributes)
    .map(([key, each]) => `${prometheusLabel(key)}="${each}"`)
    .join(",")}}`;
  const suffix = how === "add" || how === "set" ? "" : `_${how}`;
  const name = `${prometheusName(definition).sample}${suffix}`;
  const key = name + labels;
  const series = family.series.get(key) ?? { name, labels, value: 0, samples: [] };
  family.series.set(key, series);
  series.value = how === "set" ? value : series.value + value;
}

/** As OpenMetrics with times. */
export function writeHistory({ families }: History): string {
  const parts: string[] = [];
  for (const { definition, series } of families.values()) {
    const { family, type } = prometheusName(definition);
    parts.push(`# TYPE ${family} ${type}\n`);
    for (const { samples } of series.values()) parts.push(...samples);
  }
  return `${parts.join("")}# EOF\n`;
}

/** A whole number whose mean is that. */
export function sample({ random }: History, mean: number): number {
  const varied = mean * (0.7 + 0.6 * random());
  return Math.floor(varied) + (random() < varied % 1 ? 1 : 0);
}

/** Mulberry32: the same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
