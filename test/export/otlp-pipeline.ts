import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import type { MetricDefinition, MetricSource } from "../../src/export/metric-family.ts";
import { type OtlpMetricReaderOptions, otlpMetricReader } from "../../src/export/otlp-metric-reader.ts";
import { SeriesTable } from "../../src/export/series-table.ts";
import {
  decodeMetrics,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpResourceMetrics,
} from "../support/otlp-metrics.ts";
import { type Answer, type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";

export const EVENTS: MetricDefinition = {
  name: "events",
  unit: "{event}",
  kind: "counter",
  description: "Events",
};
export const WAITS: MetricDefinition = { name: "waits", unit: "s", kind: "histogram", description: "Waits" };

/** A Unix time in ms, and the same in ns. */
export const START_MS = 1_800_000_000_000;
export const nanos = (unixMs: number) => BigInt(unixMs) * 1_000_000n;

/** A table of series at a time that a test sets. */
export function someSeries({ exponential = false } = {}) {
  const clock = { nowMs: START_MS };
  const place = { "k8s.node.name": "node-a" };
  const table = new SeriesTable({ place, now: () => clock.nowMs, exponential });
  const event = table.metric(EVENTS, { ofPod: true });
  const wait = table.metric(WAITS, { bounds: [0.2, 0.4] });
  return { clock, table, event, wait };
}

export interface Pipeline extends AsyncDisposable {
  readonly receiver: OtlpReceiver;
  readonly counts: ReturnType<typeof otlpMetricReader>["counts"];
  readonly provider: MeterProvider;
  /** Exports once, ten seconds later; gives what came of it. */
  flush(): Promise<readonly OtlpResourceMetrics[]>;
}

export interface PipelineOptions extends Partial<OtlpMetricReaderOptions> {
  readonly source: MetricSource;
  readonly clock: { nowMs: number };
  readonly answer?: (request: number) => Answer;
}

/** A source, the SDK's reader, a real exporter over HTTP, and a receiver. */
export async function openPipeline({ clock, answer, ...options }: PipelineOptions): Promise<Pipeline> {
  const receiver = await startOtlpReceiver(answer);
  const exporter = exporterTo(receiver.url);
  const { reader, counts } = otlpMetricReader({
    exporter,
    temporality: "cumulative",
    intervalMs: 1_000_000_000,
    timeoutMs: 30_000,
    version: "1.2.3",
    now: () => clock.nowMs,
    ...options,
  });
  const resource = resourceFromAttributes({ "service.name": "tcpretrans" });
  const provider = new MeterProvider({ resource, readers: [reader] });
  return {
    receiver,
    counts,
    provider,
    async flush() {
      const before = receiver.requests.length;
      clock.nowMs += 10_000;
      await provider.forceFlush();
      return receiver.requests.slice(before).flatMap(({ body }) => decodeMetrics(body));
    },
    async [Symbol.asyncDispose]() {
      await provider.shutdown();
      await receiver[Symbol.asyncDispose]();
    },
  };
}

/** The SDK's own exporter over HTTP. */
export function exporterTo(url: string): OTLPMetricExporter {
  return new OTLPMetricExporter({
    url: `${url}/v1/metrics`,
    timeoutMillis: 500, // no time to try again
    compression: CompressionAlgorithm.GZIP,
  });
}

/** All points of a metric. */
export function pointsOf(metrics: readonly OtlpResourceMetrics[], name: string): readonly OtlpPoint[] {
  return metricsOf(metrics, name).flatMap(({ points }) => points);
}

export function metricsOf(metrics: readonly OtlpResourceMetrics[], name: string): readonly OtlpMetric[] {
  return metrics
    .flatMap(({ scopes }) => scopes)
    .flatMap((scope) => scope.metrics)
    .filter((metric) => metric.name === name);
}
