import { Metadata } from "@grpc/grpc-js";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import type { OTLPGRPCExporterConfigNode } from "@opentelemetry/otlp-grpc-exporter-base";
import { channelCredentials } from "./grpc-credentials.ts";
import type { OtlpSettings, OtlpTarget } from "./otlp-settings.ts";
import type { TlsMaterial } from "./tls-files.ts";

/** The headers of each request; those of bytes (`-bin`) are written in base64, as they are sent. */
export function grpcMetadata({ headers }: OtlpSettings): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) {
    metadata.set(key, key.toLowerCase().endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
  return metadata;
}

export interface GrpcConfigOptions {
  readonly target: OtlpTarget;
  readonly material: TlsMaterial;
  readonly userAgent: string;
}

/** The settings as the SDK's gRPC exporters take them: all is given, so that nothing is left to the environment. */
export function grpcExporterConfig(
  settings: OtlpSettings,
  options: GrpcConfigOptions,
): OTLPGRPCExporterConfigNode {
  const { target, material, userAgent } = options;
  const { secure, address } = target;
  return {
    url: address.startsWith("unix:") ? address : `${secure ? "https" : "http"}://${address}`,
    credentials: channelCredentials(target, material),
    metadata: grpcMetadata(settings),
    timeoutMillis: settings.timeoutMs,
    compression: settings.compression === "gzip" ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
    userAgent,
  };
}
