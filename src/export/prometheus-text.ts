import type { HistogramValue, MetricFamily, MetricPoint } from "./metric-family.ts";

export interface PrometheusTextOptions {
  /** OpenMetrics 1.0, else the text format 0.0.4. */
  readonly openMetrics: boolean;
}

/** Names of units at the end of a metric's name, as OTLP receivers write them. */
const UNIT_WORDS: Readonly<Record<string, string>> = { s: "seconds", ms: "milliseconds", By: "bytes" };

/**
 * Metrics as a scrape of Prometheus reads them, under the names that its OTLP receiver gives them. A family without
 * points is left out.
 */
export function formatPrometheus(
  families: readonly MetricFamily[],
  { openMetrics }: PrometheusTextOptions,
): string {
  const lines: string[] = [];
  for (const family of families) {
    const samples: string[] = [];
    const name = prometheusName(family);
    for (const point of family.points) addSamples(samples, name.sample, point);
    if (samples.length === 0) continue;
    if (openMetrics) {
      lines.push(`# TYPE ${name.family} ${family.kind}`);
      if (name.unit !== undefined) lines.push(`# UNIT ${name.family} ${name.unit}`);
      lines.push(`# HELP ${name.family} ${escapeQuoted(family.description)}`);
    } else {
      lines.push(`# HELP ${name.sample} ${escapeLine(family.description)}`);
      lines.push(`# TYPE ${name.sample} ${family.kind}`);
    }
    for (const sample of samples) lines.push(sample);
  }
  if (openMetrics) lines.push("# EOF");
  return lines.map((line) => `${line}\n`).join("");
}

interface PrometheusName {
  /** OpenMetrics' name of the family: a counter's without `_total`. */
  readonly family: string;
  /** What its samples begin with. */
  readonly sample: string;
  readonly unit: string | undefined;
}

/** Dots become underscores, the unit a suffix unless it is an annotation like `{segment}`; a counter ends in `_total`. */
function prometheusName({ name, unit, kind }: MetricFamily): PrometheusName {
  const bare = underscored(name);
  const word = unit.startsWith("{") ? undefined : UNIT_WORDS[unit];
  const family = word === undefined ? bare : `${bare}_${word}`;
  return { family, sample: kind === "counter" ? `${family}_total` : family, unit: word };
}

function addSamples(samples: string[], name: string, { attributes, value }: MetricPoint): void {
  const labels = formatLabels(attributes);
  if (typeof value === "number") samples.push(`${name}${braced(labels)} ${formatNumber(value)}`);
  else addHistogram(samples, name, labels, value);
}

function addHistogram(
  samples: string[],
  name: string,
  labels: string,
  { bounds, counts, sum }: HistogramValue,
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

function formatLabels(attributes: MetricPoint["attributes"]): string {
  return Object.entries(attributes)
    .map(([key, value]) => `${underscored(key)}="${escapeQuoted(value)}"`)
    .join(",");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function underscored(name: string): string {
  return name.replace(/[^a-zA-Z0-9]+/g, "_");
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
