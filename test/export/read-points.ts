import type {
  HistogramValue,
  MetricAttributes,
  MetricPoint,
  MetricSource,
} from "../../src/export/metric-family.ts";

/** Points of one metric by their attributes without those that `common` names, as `key=value,…`. */
export function readPoints(
  source: MetricSource,
  metric: string,
  {
    nowUnixMs = 0,
    reader = "test",
    common = ["k8s.node.name", "k8s.cluster.name"] as readonly string[],
  } = {},
): ReadonlyMap<string, MetricPoint> {
  const family = source.collect(nowUnixMs, reader).find(({ name }) => name === metric);
  if (family === undefined) throw new Error(`no metric ${metric}`);
  return new Map([...family.points].map((point) => [keyOf(point.attributes, common), point]));
}

/** Values of one metric by attributes; of a histogram how many were measured. */
export function readValues(
  source: MetricSource,
  metric: string,
  options?: Parameters<typeof readPoints>[2],
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...readPoints(source, metric, options)].map(([key, { value }]) => [key, countOf(value)]),
  );
}

export function countOf(value: number | HistogramValue): number {
  return typeof value === "number" ? value : value.counts.reduce((sum, count) => sum + count, 0);
}

function keyOf(attributes: MetricAttributes, common: readonly string[]): string {
  return Object.entries(attributes)
    .filter(([key]) => !common.includes(key))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}
