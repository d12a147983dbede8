import type { Labels, Prometheus } from "./prometheus.ts";

/** A way by which metrics reach Prometheus, and the label values that its series have there. */
export interface MetricPath {
  readonly name: string;
  readonly job: string;
}

export interface PathSeries {
  readonly path: MetricPath;
  /** Value by series, written as name and sorted labels. */
  readonly series: ReadonlyMap<string, number>;
}

/** Prometheus makes these itself for each target, or from what is no metric. */
const OF_PROMETHEUS = /^(up|scrape_.*|target_info)$/;
/** What a way adds: who was scraped, what was scraped there, and the SDK's scope. */
const OF_THE_WAY = /^(job|instance|exported_job|exported_instance|otel_scope_.*)$/;

/** Reads the series of a way as they stand, without what the way itself adds to them. */
export async function readPath(prometheus: Prometheus, path: MetricPath): Promise<PathSeries> {
  const found = await prometheus.query(`{job="${path.job}"}`);
  const own = found.filter(({ labels }) => !OF_PROMETHEUS.test(labels["__name__"] ?? ""));
  return { path, series: new Map(own.map(({ labels, value }) => [nameOf(labels), value])) };
}

/** Says which series one way has and another has not; nothing where all have the same. */
export function comparePaths(paths: readonly PathSeries[]): readonly string[] {
  const all = new Set(paths.flatMap(({ series }) => [...series.keys()]));
  return [...all].flatMap((name) => {
    const without = paths.filter(({ series }) => !series.has(name)).map(({ path }) => path.name);
    return without.length === 0 ? [] : [`${name} is not in ${without.join(" and ")}`];
  });
}

function nameOf(labels: Labels): string {
  const own = Object.entries(labels).filter(([name]) => name !== "__name__" && !OF_THE_WAY.test(name));
  const texts = own.map(([name, value]) => `${name}="${value}"`).sort();
  return `${labels["__name__"]}{${texts.join(",")}}`;
}
