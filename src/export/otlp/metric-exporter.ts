import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPMetricExporter as GrpcMetricExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as HttpMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { CompressionAlgorithm, OTLPExporterError } from "@opentelemetry/otlp-exporter-base";
import type { PushMetricExporter, ResourceMetrics } from "@opentelemetry/sdk-metrics";
import { answerSentence, connectionSentence, partlySentence } from "./export-problems.ts";
import { grpcResult, isServiceError } from "./grpc-answer.ts";
import { grpcExporterConfig } from "./grpc-config.ts";
import { keepAliveAgent } from "./http-agent.ts";
import { keepClient } from "./kept-client.ts";
import { type OtlpSettings, type OtlpTarget, otlpTarget } from "./otlp-settings.ts";
import type { SdkDiag } from "./sdk-diag.ts";
import { wordsOf } from "./send-result.ts";
import type { TlsMaterial } from "./tls-files.ts";

export interface MetricExporterOptions {
  readonly userAgent: string;
  readonly sdk: SdkDiag;
  /** Takes what the server would not have: a number of data points (0: a warning only) and a sentence. */
  readonly rejected: (dataPoints: number, sentence: string) => void;
}

/**
 * The SDK's exporter of metrics, made anew when the certificates change or the connection fails. A failed export's error
 * is one sentence for people.
 */
export function otlpMetricExporter(
  settings: OtlpSettings,
  options: MetricExporterOptions,
): PushMetricExporter {
  const { userAgent, sdk, rejected } = options;
  const target = otlpTarget("metrics", settings);
  const { current, close } = keepClient<MetricClient>(settings, {
    close: ({ exporter, release }) => void exporter.shutdown().finally(release),
    make: (material) => {
      if (settings.protocol === "http/protobuf") return httpClient(settings, { target, material, userAgent });
      const config = grpcExporterConfig(settings, { target, material, userAgent });
      return { exporter: new GrpcMetricExporter(config), release: () => {} };
    },
  });
  const finish = ({ code, error }: ExportResult): ExportResult => {
    if (code !== ExportResultCode.SUCCESS) {
      close();
      return { code, error: new Error(problemSentence(target, error), { cause: error }) };
    }
    const partial = sdk.takePartialSuccess();
    if (partial.rejected > 0 || partial.message !== "")
      rejected(partial.rejected, partlySentence(target, partial));
    return { code };
  };
  return {
    export: (metrics: ResourceMetrics, done: (result: ExportResult) => void) => {
      const state = current();
      if ("client" in state) state.client.exporter.export(metrics, (result) => done(finish(result)));
      else done({ code: ExportResultCode.FAILED, error: new Error(state.sentence) });
    },
    forceFlush: async () => {
      const state = current();
      if ("client" in state) await state.client.exporter.forceFlush();
    },
    shutdown: async () => close(),
  };
}

interface MetricClient {
  readonly exporter: GrpcMetricExporter | HttpMetricExporter;
  /** Ends what the exporter leaves open when it is shut down. */
  readonly release: () => void;
}

interface HttpExporterOptions {
  readonly target: OtlpTarget;
  readonly material: TlsMaterial;
  readonly userAgent: string;
}

function httpClient(
  settings: OtlpSettings,
  { target, material, userAgent }: HttpExporterOptions,
): MetricClient {
  const agent = keepAliveAgent(target.secure, material);
  const exporter = new HttpMetricExporter({
    url: target.address,
    headers: { ...settings.headers },
    timeoutMillis: settings.timeoutMs,
    compression: settings.compression === "gzip" ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    userAgent,
    httpAgentOptions: () => agent,
  });
  return { exporter, release: () => agent.destroy() };
}

function problemSentence(target: OtlpTarget, error: Error | undefined): string {
  if (error === undefined) return connectionSentence(target, "no reason is known");
  if (isServiceError(error)) return grpcResult(target, error).sentence;
  if (error instanceof OTLPExporterError && error.code !== undefined) {
    return answerSentence(target, `${error.code}`, error.data ?? error.message);
  }
  return connectionSentence(target, wordsOf(error));
}
