import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { Batcher } from "./batcher.ts";
import { type EncodableRecord, encodeLogs } from "./encode-logs.ts";
import type { ExportClock } from "./export-clock.ts";
import type { ExportCounts } from "./export-counts.ts";
import { grpcLogSender } from "./grpc-log-sender.ts";
import { grpcSpanSender } from "./grpc-span-sender.ts";
import { httpSender } from "./http-sender.ts";
import type { Lane } from "./lane.ts";
import { type OtlpSettings, otlpTarget, type Signal } from "./otlp-settings.ts";
import type { Outbox } from "./outbox.ts";
import type { SdkDiag } from "./sdk-diag.ts";
import type { Sender } from "./send-result.ts";
import { type PlainSpan, packSpans, readableSpans } from "./span-parcel.ts";

/** How many go into one request, and how long the first waits for the others (OTEL_BLRP_*, OTEL_BSP_*). */
export interface BatchSettings {
  readonly maxItems: number;
  readonly delayMs: number;
  /** Most that may wait of this signal, within the bounds over all. */
  readonly queueRecords: number;
}

export interface RouteOptions {
  readonly outbox: Outbox;
  readonly batch: BatchSettings;
  readonly clock: ExportClock;
  readonly userAgent: string;
  readonly unixMs: () => number;
  readonly sdk: SdkDiag;
}

/** What becomes of a signal's records once they are in the way over OTLP. */
export interface RouteEnd {
  /** Closes the batch that is being gathered. */
  flush(): void;
  counts(): ExportCounts;
  /** Closes connections. */
  close(): void;
}

/** A signal's whole way over OTLP: gathered, encoded, kept until it is taken. */
export interface SignalRoute<T> extends RouteEnd {
  add(item: T): void;
}

/** The way of log records. */
export function logRoute(settings: OtlpSettings, options: RouteOptions): SignalRoute<EncodableRecord> {
  const isGrpc = settings.protocol === "grpc";
  const sender = isGrpc ? grpcLogSender(settings, options.userAgent) : httpSender("logs", settings, options);
  return route("logs", settings, { ...options, sender, encode: encodeLogs });
}

/** The way of spans; by gRPC it is the SDK's own exporter's. */
export function spanRoute(settings: OtlpSettings, options: RouteOptions): SignalRoute<PlainSpan> {
  const isGrpc = settings.protocol === "grpc";
  const sender = isGrpc ? grpcSpanSender(settings, options) : httpSender("traces", settings, options);
  return route("traces", settings, { ...options, sender, encode: isGrpc ? packSpans : encodeSpans });
}

function encodeSpans(spans: readonly PlainSpan[]): Uint8Array {
  // The type allows for requests that cannot be written; those of protobuf always can.
  return ProtobufTraceSerializer.serializeRequest(readableSpans(spans)) ?? new Uint8Array();
}

interface RouteParts<T> extends RouteOptions {
  readonly sender: Sender;
  readonly encode: (items: readonly T[]) => Uint8Array;
}

function route<T>(signal: Signal, settings: OtlpSettings, parts: RouteParts<T>): SignalRoute<T> {
  const { outbox, sender, encode, batch, clock } = parts;
  const lane: Lane = outbox.lane(
    `${signal} to ${otlpTarget(signal, settings).shown}`,
    sender.send,
    batch.queueRecords,
  );
  const batcher = new Batcher<T>({
    ...batch,
    encode,
    put: (gzipped, items) => lane.put(gzipped, items),
    clock,
  });
  return {
    add: (item) => batcher.add(item),
    flush: () => batcher.flush(),
    counts: () => ({ ...lane.counts, waitingRecords: lane.counts.waitingRecords + batcher.length }),
    close: sender.close,
  };
}
