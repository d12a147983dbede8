import { ATTRIBUTES } from "../../src/export/attributes.ts";
import { type DescribedMetric, PLACE, RETRANSMIT_METRICS } from "../../src/export/metrics.ts";
import { prometheusLabel, prometheusName } from "../../src/export/prometheus-name.ts";
import { SELF_METRICS } from "../../src/export/self-metric-definitions.ts";

/** Labels of each name that a query may have, as Prometheus writes them. */
const METRICS = new Map<string, ReadonlySet<string>>(
  [...Object.values(RETRANSMIT_METRICS), ...Object.values(SELF_METRICS)].flatMap((metric) => {
    const { sample } = prometheusName(metric);
    const labels = new Set([...metric.attributes, ...PLACE].map(prometheusLabel));
    const isHistogram = metric.kind === "histogram";
    const names = isHistogram ? [`${sample}_bucket`, `${sample}_sum`, `${sample}_count`] : [sample];
    return names.map((name) => [name, labels] as const);
  }),
);
const LABELS: ReadonlySet<string> = new Set(Object.values(ATTRIBUTES).map(prometheusLabel));
/** Of kube-state-metrics, of Prometheus itself, and labels that rules make. */
const OTHERS: ReadonlySet<string> = new Set(["kube_node_info", "ALERTS"]);
const MADE_LABELS: ReadonlySet<string> = new Set(["node", "peer_node", "le", "alertname"]);
const WORDS: ReadonlySet<string> = new Set(["and", "or", "unless", "bool", "offset", "by", "on"]);

const REASONS = new Map<string, readonly string[]>(
  Object.values<DescribedMetric>(SELF_METRICS).flatMap((metric) =>
    metric.reasons === undefined ? [] : [[prometheusName(metric).sample, metric.reasons]],
  ),
);

/** Names in a query that nobody exports: metrics, labels, `metric{label}` where the metric has no such label, and `metric{reason}` of one without that. */
export function unknownNames(expr: string, records: readonly string[]): readonly string[] {
  const unknown = [...unknownReasons(expr)];
  const labelsHere = labelsOf(expr, records);
  const known = (name: string) => METRICS.has(name) || OTHERS.has(name) || records.includes(name);
  const rest = expr
    .replaceAll(/"[^"]*"/g, '""')
    .replaceAll(/\b(?:by|on|group_left|ignoring)\s*\(([^)]*)\)/g, (_, list: string) => {
      const labels = list.split(",").flatMap((label) => label.trim() || []);
      unknown.push(...labels.filter((label) => !labelsHere.has(label) && !MADE_LABELS.has(label)));
      return " ";
    })
    .replaceAll(/([a-zA-Z_:][\w:]*)\{([^}]*)\}/g, (_, metric: string, matchers: string) => {
      const labels = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label);
      const own = METRICS.get(metric);
      if (own !== undefined)
        unknown.push(
          ...labels
            .filter((label) => !own.has(label) && label !== "le")
            .map((label) => `${metric}{${label}}`),
        );
      return metric;
    })
    .replaceAll(/\[[^\]]*\]/g, " ");
  for (const [, name = ""] of rest.matchAll(/([a-zA-Z_:][\w:]*)(?![\w:]*\s*\()/g))
    if (!known(name) && !WORDS.has(name)) unknown.push(name);
  return unknown;
}

function unknownReasons(expr: string): readonly string[] {
  return [...expr.matchAll(/(\w+)\{[^}]*tcpretrans_reason(?:=~|!~|!=|=)"([^"]*)"/g)].flatMap(
    ([, metric = "", words = ""]) =>
      words
        .split("|")
        .filter((word) => REASONS.get(metric)?.includes(word) === false)
        .map((word) => `${metric}{${word}}`),
  );
}

/** Labels of the metrics in a query; any where one of them is recorded or another program's. */
function labelsOf(expr: string, records: readonly string[]): ReadonlySet<string> {
  const names = expr.match(/[a-zA-Z_:][\w:]*/g) ?? [];
  if (names.some((name) => OTHERS.has(name) || records.includes(name))) return LABELS;
  return new Set(names.flatMap((name) => [...(METRICS.get(name) ?? [])]));
}
