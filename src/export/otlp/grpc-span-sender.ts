import { gunzipSync } from "node:zlib";
import { status } from "@grpc/grpc-js";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { exportErrorCode } from "../export-error-code.ts";
import { acceptedResult } from "./accepted-result.ts";
import { connectionSentence } from "./export-problems.ts";
import { grpcResult, isServiceError } from "./grpc-answer.ts";
import { grpcExporterConfig } from "./grpc-config.ts";
import { keepClient } from "./kept-client.ts";
import { type OtlpSettings, otlpTarget } from "./otlp-settings.ts";
import type { PartialSuccess } from "./partial-success.ts";
import type { SdkDiag } from "./sdk-diag.ts";
import { type Sender, type SendResult, wordsOf } from "./send-result.ts";
import { readableSpans, unpackSpans } from "./span-parcel.ts";

export interface GrpcSpanSenderOptions {
  readonly userAgent: string;
  readonly sdk: SdkDiag;
}

/** Sends packed spans with the SDK's own gRPC exporter, which by itself never tries twice. */
export function grpcSpanSender(settings: OtlpSettings, { userAgent, sdk }: GrpcSpanSenderOptions): Sender {
  const target = otlpTarget("traces", settings);
  const { current, close } = keepClient(settings, {
    make: (material) => new OTLPTraceExporter(grpcExporterConfig(settings, { target, material, userAgent })),
    close: (exporter) => void exporter.shutdown(),
  });
  const send = async (gzipped: Uint8Array, stop: AbortSignal): Promise<SendResult> => {
    const state = current();
    if ("sentence" in state)
      return { kind: "retry", code: "other", afterMs: undefined, sentence: state.sentence };
    const result = await tryExport(state.client, readableSpans(unpackSpans(gunzipSync(gzipped))), {
      stop,
      sdk,
    });
    if (!(result instanceof Error)) return acceptedResult(target, result);
    if (!isServiceError(result)) {
      const sentence = connectionSentence(target, wordsOf(result));
      return { kind: "retry", code: exportErrorCode(result), afterMs: undefined, sentence };
    }
    // A channel waits up to 2 minutes before it connects again; a new one does so when it is asked.
    if (result.code === status.UNAVAILABLE) close();
    return grpcResult(target, result);
  };
  return { send, close };
}

interface TryOptions {
  readonly stop: AbortSignal;
  readonly sdk: SdkDiag;
}

/** The exporter cannot be stopped: it gives up by itself when its time is over. */
function tryExport(
  exporter: OTLPTraceExporter,
  spans: ReadableSpan[],
  { stop, sdk }: TryOptions,
): Promise<Error | PartialSuccess> {
  return new Promise((resolve) => {
    const onStop = () => resolve(new Error("stopped"));
    stop.addEventListener("abort", onStop, { once: true });
    exporter.export(spans, ({ error }) => {
      stop.removeEventListener("abort", onStop);
      resolve(error ?? sdk.takePartialSuccess());
    });
  });
}
