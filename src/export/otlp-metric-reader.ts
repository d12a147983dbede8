import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import type { MetricSource } from "./metric-family.ts";
import {
  type MetricExportCounts,
  OtlpMetricExporter,
  type OtlpMetricExporterOptions,
} from "./otlp-metric-exporter.ts";
import { otlpMetricProducer } from "./otlp-metric-producer.ts";

export interface OtlpMetricReaderOptions extends OtlpMetricExporterOptions {
  readonly source: MetricSource;
  readonly intervalMs: number;
  /** For one state, over all of its requests; 0, or more than the interval: until the next one. */
  readonly timeoutMs: number;
  /** Of the agent. */
  readonly version: string;
  /** Unix time in ms. */
  readonly now: () => number;
}

/** A reader for a MeterProvider, whose resource is the agent's, and what becomes of its exports. */
export interface OtlpMetricReader {
  readonly reader: PeriodicExportingMetricReader;
  readonly counts: Readonly<MetricExportCounts>;
}

/** Makes the reader that exports a source's metrics at an interval, and once more when it is shut down. */
export function otlpMetricReader(options: OtlpMetricReaderOptions): OtlpMetricReader {
  const { source, intervalMs, timeoutMs, version, now } = options;
  const exporter = new OtlpMetricExporter(options);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMs,
    exportTimeoutMillis: timeoutMs > 0 ? Math.min(timeoutMs, intervalMs) : intervalMs,
    metricProducers: [otlpMetricProducer({ source, scope: { name: "tcpretrans", version }, now })],
  });
  return { reader, counts: exporter.counts };
}
