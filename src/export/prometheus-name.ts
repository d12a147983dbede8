import type { MetricDefinition } from "./metric-family.ts";

/** How Prometheus calls a metric. */
export interface PrometheusName {
  /** OpenMetrics' name of the family: a counter's without `_total`. */
  readonly family: string;
  /** What its samples begin with. */
  readonly sample: string;
  /** OpenMetrics' unit, which the family's name ends with. */
  readonly unit: string | undefined;
  readonly type: PrometheusType;
}

/** It has no counter that may fall. */
export type PrometheusType = "counter" | "gauge" | "histogram";

/** Words of units, as the OTLP receiver of Prometheus and the Collector's exporter write them (otlptranslator's unitMap). */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: "seconds", By: "bytes" };

/**
 * The name that Prometheus's OTLP receiver gives a metric: dots become underscores, the unit is a suffix unless it is an
 * annotation like `{segment}`, a counter ends in `_total`.
 */
export function prometheusName({
  name,
  unit,
  kind,
}: Pick<MetricDefinition, "name" | "unit" | "kind">): PrometheusName {
  const bare = underscored(name);
  const word = unit.startsWith("{") ? undefined : UNIT_WORDS[unit];
  const family = word === undefined || bare.split("_").includes(word) ? bare : `${bare}_${word}`;
  const hasSuffix = word !== undefined && family.endsWith(`_${word}`);
  return {
    family,
    sample: kind === "counter" ? `${family}_total` : family,
    unit: hasSuffix ? word : undefined,
    type: kind === "updowncounter" ? "gauge" : kind,
  };
}

/** The name that it gives an attribute. */
export function prometheusLabel(attribute: string): string {
  return underscored(attribute);
}

function underscored(name: string): string {
  return name.replace(/[^a-zA-Z0-9]+/g, "_");
}
