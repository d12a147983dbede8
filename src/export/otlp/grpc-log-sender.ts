import { gunzipSync } from "node:zlib";
import { Client, connectivityState, type Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { acceptedResult } from "./accepted-result.ts";
import { timeoutSentence } from "./export-problems.ts";
import { grpcResult } from "./grpc-answer.ts";
import { grpcMetadata } from "./grpc-config.ts";
import { channelCredentials } from "./grpc-credentials.ts";
import { keepClient } from "./kept-client.ts";
import { type OtlpSettings, otlpTarget } from "./otlp-settings.ts";
import { decodePartialSuccess } from "./partial-success.ts";
import { patience } from "./patience.ts";
import type { Sender, SendResult } from "./send-result.ts";

const PATH = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
/** grpc-js's number of gzip. */
const GZIP = 2;

/** Sends log records' requests by gRPC. */
export function grpcLogSender(settings: OtlpSettings, userAgent: string): Sender {
  const target = otlpTarget("logs", settings);
  const metadata = grpcMetadata(settings);
  const { current, close } = keepClient(settings, {
    close: (client: Client) => client.close(),
    make: (material) =>
      new Client(target.address, channelCredentials(target, material), {
        "grpc.primary_user_agent": userAgent,
        "grpc.use_local_subchannel_pool": 1,
        ...(settings.compression === "gzip" ? { "grpc.default_compression_algorithm": GZIP } : {}),
      }),
  });
  const send = async (gzipped: Uint8Array, stop: AbortSignal): Promise<SendResult> => {
    const state = current();
    if ("sentence" in state)
      return { kind: "retry", code: "other", afterMs: undefined, sentence: state.sentence };
    const wait = patience(stop, settings.timeoutMs);
    const answer = await call(state.client, { bytes: gunzipSync(gzipped), metadata, signal: wait.signal });
    wait.end();
    const isConnected = state.client.getChannel().getConnectivityState(false) === connectivityState.READY;
    if (answer instanceof Uint8Array) return acceptedResult(target, decodePartialSuccess(answer));
    // A channel waits up to 2 minutes before it connects again; a new one does so when it is asked.
    if (answer.code === status.UNAVAILABLE || wait.isOver()) close();
    if (!wait.isOver()) return grpcResult(target, answer);
    const sentence = timeoutSentence(target, settings.timeoutMs, isConnected);
    return { kind: "retry", code: "DEADLINE_EXCEEDED", afterMs: undefined, sentence };
  };
  return { send, close };
}

interface CallOptions {
  readonly bytes: Buffer;
  readonly metadata: Metadata;
  readonly signal: AbortSignal;
}

function call(client: Client, { bytes, metadata, signal }: CallOptions): Promise<Uint8Array | ServiceError> {
  const asIs = (message: Buffer) => message;
  return new Promise((resolve) => {
    const running = client.makeUnaryRequest(PATH, asIs, asIs, bytes, metadata, (error, response) => {
      resolve(error ?? response ?? Buffer.alloc(0));
    });
    if (signal.aborted) running.cancel();
    signal.addEventListener("abort", () => running.cancel(), { once: true });
  });
}
