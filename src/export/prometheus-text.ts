import type { HistogramValue, MetricFamily, MetricPoint } from "./metric-family.ts";
import { type PrometheusType, prometheusLabel, prometheusName } from "./prometheus-name.ts";

export interface PrometheusTextOptions {
  /** OpenMetrics 1.0, else the text format 0.0.4. */
  readonly openMetrics: boolean;
}

/**
 * Metrics as a scrape of Prometheus reads them, under the names that its OTLP receiver gives them. What is new to the
 * reader is shown at 0. A family without points is left out.
 */
export function formatPrometheus(
  families: readonly MetricFamily[],
  { openMetrics }: PrometheusTextOptions,
): string {
  const lines: string[] = [];
  const labels = labelsFormatter();
  for (const family of families) {
    const name = prometheusName(family);
    const samples: string[] = [];
    for (const point of family.points) {
      const shown = point.isNew ? asBorn(point.value, name.type) : point.value;
      addSamples(samples, name.sample, { labels: labels(point.attributes), value: shown });
    }
    if (samples.length === 0) continue;
    if (openMetrics) {
      lines.push(`# TYPE ${name.family} ${name.type}`);
      if (name.unit !== undefined) lines.push(`# UNIT ${name.family} ${name.unit}`);
      lines.push(`# HELP ${name.family} ${escapeQuoted(family.description)}`);
    } else {
      lines.push(`# HELP ${name.sample} ${escapeLine(family.description)}`);
      lines.push(`# TYPE ${name.sample} ${name.type}`);
    }
    for (const sample of samples) lines.push(sample);
  }
  if (openMetrics) lines.push("# EOF");
  return lines.map((line) => `${line}\n`).join("");
}

type Value = MetricPoint["value"];

/** A value at the birth of its series. */
function asBorn(value: Value, type: PrometheusType): Value {
  if (type === "gauge") return value;
  return typeof value === "number" ? 0 : { ...value, counts: value.counts.map(() => 0), sum: 0 };
}

interface Sample {
  readonly labels: string;
  readonly value: Value;
}

function addSamples(samples: string[], name: string, { labels, value }: Sample): void {
  if (typeof value === "number") samples.push(`${name}${braced(labels)} ${formatNumber(value)}`);
  else addHistogram(samples, name, { labels, value });
}

function addHistogram(
  samples: string[],
  name: string,
  { labels, value: { bounds, counts, sum } }: Sample & { readonly value: HistogramValue },
): void {
  const before = labels === "" ? "" : `${labels},`;
  let count = 0;
  for (const [i, inBucket] of counts.entries()) {
    count += inBucket;
    const bound = formatNumber(bounds[i] ?? Number.POSITIVE_INFINITY);
    samples.push(`${name}_bucket{${before}le="${bound}"} ${count}`);
  }
  samples.push(`${name}_sum${braced(labels)} ${formatNumber(sum)}`);
  samples.push(`${name}_count${braced(labels)} ${count}`);
}

/** Formats labels; names are those of few attributes. */
function labelsFormatter(): (attributes: MetricPoint["attributes"]) => string {
  const names = new Map<string, string>();
  const nameOf = (key: string): string => {
    const name = names.get(key) ?? prometheusLabel(key);
    names.set(key, name);
    return name;
  };
  return (attributes) =>
    Object.entries(attributes)
      .map(([key, value]) => `${nameOf(key)}="${escapeQuoted(String(value))}"`)
      .join(",");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

function escapeLine(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeQuoted(text: string): string {
  return escapeLine(text).replaceAll('"', '\\"');
}
