import { ConsoleMetricExporter, type PushMetricExporter } from "@opentelemetry/sdk-metrics";
import { otlpMetricExporter } from "../export/otlp/metric-exporter.ts";
import { podResource } from "../export/otlp/pod-resource.ts";
import type { SdkDiag } from "../export/otlp/sdk-diag.ts";
import { type OtlpMetricReader, otlpMetricReader } from "../export/otlp-metric-reader.ts";
import { type ExportsWanted, otlpSettings } from "./agent-exports.ts";

export interface MetricReaderParts {
  readonly sdk: SdkDiag;
  readonly userAgent: string;
}

/** The reader that exports metrics at an interval; undefined where they are not exported. */
export function openMetricReader(
  wanted: ExportsWanted,
  parts: MetricReaderParts,
): OtlpMetricReader | undefined {
  const { config, version, metrics: source, podOf } = wanted;
  const { exporter: where, temporality, intervalMs, exportTimeoutMs } = config.metrics;
  if (where === "none") return undefined;
  const exporter = where === "console" ? new ConsoleMetricExporter() : overOtlp(wanted, parts);
  const { clusterName, attributes } = config.resource;
  const resourceOf = (uid: string) => {
    const pod = podOf(uid);
    return pod && podResource(pod, { clusterName, attributes });
  };
  return otlpMetricReader({
    ...{ exporter, source, temporality, intervalMs, version },
    timeoutMs: exportTimeoutMs,
    now: Date.now,
    podResource: config.resource.mode === "pod" ? resourceOf : undefined,
  });
}

function overOtlp({ config, log }: ExportsWanted, { sdk, userAgent }: MetricReaderParts): PushMetricExporter {
  const exportLog = log.as("export");
  return otlpMetricExporter(otlpSettings(config.otlp.metrics), {
    ...{ userAgent, sdk },
    rejected: (_points, sentence) => exportLog.warn(sentence),
  });
}
