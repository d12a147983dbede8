import {
  ATTRIBUTE_DOCS,
  type AttributeDoc,
  RESOURCE_DOCS,
  type SignalAttributeDoc,
} from "../src/export/attribute-docs.ts";
import { ATTRIBUTES, EVENT_NAMES, RESOURCE_ATTRIBUTES, SPAN_NAME } from "../src/export/attributes.ts";
import { type DescribedMetric, PLACE, RETRANSMIT_METRICS } from "../src/export/metrics.ts";
import { prometheusLabel, prometheusName } from "../src/export/prometheus-name.ts";
import { SELF_METRICS } from "../src/export/self-metric-definitions.ts";

/** The parts of docs/telemetry.md that are made of the program's own descriptions, by the marks that they stand between. */
export function telemetryTables(): Readonly<Record<string, string>> {
  return {
    "npm run generate:telemetry: metrics": metricsTable(Object.values(RETRANSMIT_METRICS)),
    "npm run generate:telemetry: self-metrics": metricsTable(Object.values(SELF_METRICS)),
    "npm run generate:telemetry: records": eventsTable(),
    "npm run generate:telemetry: attributes": attributesTable(),
    "npm run generate:telemetry: resource": resourceTable(),
  };
}

function metricsTable(metrics: readonly DescribedMetric[]): string {
  const rows = metrics.map((metric) => {
    const { name, kind, unit, description, attributes } = metric;
    const kinds = metric.isObserved === true ? `observable ${kind}` : kind;
    const keys = attributes.map((key) => `\`${key}\``).join(" ");
    const text = `${description}<br>${keys === "" ? "no attributes of its own" : keys}<br>e.g. \`${example(metric)}\``;
    return [`\`${name}\``, `\`${prometheusName(metric).sample}\``, kinds, `\`${unit}\``, text];
  });
  return table(["name", "in Prometheus", "kind", "unit", "meaning, attributes, example"], rows);
}

/** One sample as a scrape shows it. */
function example(metric: DescribedMetric): string {
  const { attributes, kind } = metric;
  const keys = [...PLACE, ...attributes].filter((key) => key !== ATTRIBUTES.metricOverflow);
  const labels = keys.map((key) => `${prometheusLabel(key)}="${exampleOf(key, metric)}"`).join(",");
  const suffix = kind === "histogram" ? "_count" : "";
  return `${prometheusName(metric).sample}${suffix}{${labels}} ${exampleValue(metric)}`;
}

function exampleValue({ description, kind, unit }: DescribedMetric): string {
  if (kind === "histogram") return "17";
  if (/^1\b/.test(description)) return "1"; // never anything else, but 0
  if (unit === "By") return "31457280";
  return unit === "s" ? "2.5" : "23";
}

function exampleOf(key: string, { name, reasons }: DescribedMetric): string {
  if (key === ATTRIBUTES.reason) return reasons?.[0] ?? "unreachable";
  if (key === ATTRIBUTES.errorType && name === SELF_METRICS.exportFailures.name) return "UNAVAILABLE";
  if (key === ATTRIBUTES.destinationKind) return "workload";
  if (key === ATTRIBUTES.destinationName) return "shop/prices";
  const found = Object.entries(ATTRIBUTES).find(([, each]) => each === key);
  return found === undefined ? "" : ATTRIBUTE_DOCS[found[0] as keyof typeof ATTRIBUTES].example;
}

const EVENTS: Readonly<Record<keyof typeof EVENT_NAMES, string>> = {
  retransmit: "log record, span event, line: a retransmit, failed ones too",
  loss_probe: "log record, span event, line: a tail loss probe, whatever became of it",
  summary:
    "log record: several events of one connection, pod or node, which have no records of their own; line of `--summary`",
  counters: "line of `--probe=counters`: what the kernel counted in a network namespace",
};

function eventsTable(): string {
  const rows = Object.entries(EVENT_NAMES).map(([key, name]) => [
    `\`${name}\``,
    EVENTS[key as keyof typeof EVENT_NAMES],
  ]);
  const span = [
    `\`${SPAN_NAME}\``,
    "span: a connection's loss, from its first retransmit to recovered, abandoned or quiet",
  ];
  return table(["name", "what it is"], [...rows, span]);
}

function attributesTable(): string {
  const rows = Object.entries(ATTRIBUTES).map(([key, name]) => {
    const doc: SignalAttributeDoc = ATTRIBUTE_DOCS[key as keyof typeof ATTRIBUTES];
    return [`\`${name}\``, doc.type, doc.on.join(", "), doc.stability ?? "own", meaningOf(doc)];
  });
  return table(["attribute", "type", "on", "stability", "meaning"], rows);
}

function resourceTable(): string {
  const rows = Object.entries(RESOURCE_ATTRIBUTES).map(([key, name]) => {
    const doc: AttributeDoc = RESOURCE_DOCS[key as keyof typeof RESOURCE_ATTRIBUTES];
    return [`\`${name}\``, doc.type, doc.stability ?? "own", meaningOf(doc)];
  });
  return table(["attribute", "type", "stability", "meaning"], rows);
}

function meaningOf({ meaning, example }: AttributeDoc): string {
  return `${meaning}; e.g. \`${example}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
    .join("\n");
}
