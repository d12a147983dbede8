import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { otlpMetricExporter } from "../../../src/export/otlp/metric-exporter.ts";
import type { OtlpSettings } from "../../../src/export/otlp/otlp-settings.ts";
import { listenToSdk } from "../../../src/export/otlp/sdk-diag.ts";
import { openTelemetry } from "../../../src/export/otlp/telemetry.ts";
import { oneGauge } from "./one-gauge.ts";
import { fastClock, telemetryOptions } from "./settings.ts";

/** Sends a record, a span and a metric; throws when one of them does not go out. */
export async function exportOnce(otlp: OtlpSettings): Promise<void> {
  const log = { info: console.log, warn: console.log };
  const sdk = listenToSdk(log, "warn");
  const exporter = otlpMetricExporter(otlp, { userAgent: "test", sdk, rejected: () => undefined });
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 3_600_000,
    metricProducers: [oneGauge],
  });
  const exporting = { exporter: "otlp", otlp } as const;
  const telemetry = openTelemetry(
    telemetryOptions({
      logs: exporting,
      traces: exporting,
      metricReaders: [reader],
      sdk,
      log,
      clock: fastClock(),
    }),
  );
  const span = telemetry.startSpan?.({ name: "a span", startUnixNanos: 1n, pod: undefined });
  telemetry.emitLog?.({
    eventName: "a record",
    timeUnixNanos: 1n,
    body: "",
    attributes: {},
    pod: undefined,
    context: span,
  });
  span?.end({ unixNanos: 2n, attributes: {}, status: { code: "ok" } });
  await telemetry.close({ queueMs: 5_000, metricsMs: 5_000 });
  const { logs, traces } = telemetry.counts();
  if (logs?.exported !== 1 || traces?.exported !== 1) throw new Error(JSON.stringify({ logs, traces }));
}
