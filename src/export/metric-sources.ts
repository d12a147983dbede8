import type { MetricSource } from "./metric-family.ts";

/** Several sources as one: their families one after the other. */
export function joinMetricSources(sources: readonly MetricSource[]): MetricSource {
  return {
    collect: (nowUnixMs, reader) => sources.flatMap((source) => source.collect(nowUnixMs, reader)),
    missed(reader, collectedUnixMs) {
      for (const source of sources) source.missed(reader, collectedUnixMs);
    },
  };
}
