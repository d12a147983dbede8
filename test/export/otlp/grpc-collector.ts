import type { TestContext } from "node:test";
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { decodeMetrics, decodeRequest, type Received } from "./decode-otlp.ts";

/** What a collector does with a request. */
export type GrpcBehaviour =
  | "take"
  /** Never answers. */
  | "sleep"
  | { readonly code: number; readonly details?: string; readonly retryAfterMs?: number }
  | { readonly rejected: number; readonly message?: string };

export interface ServerTls {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Given: a client must show a certificate of this authority. */
  readonly ca?: Buffer | undefined;
}

export interface GrpcCollectorOptions {
  readonly host?: string;
  /** In the place of host and port: `unix:path`. */
  readonly address?: string;
  readonly port?: number;
  readonly tls?: ServerTls;
  /** By the number of the request, from 0; every request is taken without it. */
  readonly behave?: (request: number) => GrpcBehaviour;
}

export interface Collector {
  readonly port: number;
  /** Log records and spans of requests that were taken, wholly or in part, in the order of their coming. */
  readonly received: Received[];
  readonly metrics: { names: readonly string[]; resource: Readonly<Record<string, unknown>> }[];
  /** Requests that came, taken or not. */
  readonly requests: number;
  /** Names of the clients' certificates, by request; empty without. */
  readonly clients: string[];
  /** Headers of the last request. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** Ends at once, breaking off what is on its way. */
  stop(): Promise<void>;
}

const SERVICES = {
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
} as const;

/** A real gRPC server that takes OTLP. */
export async function grpcCollector(
  t: TestContext,
  { host = "127.0.0.1", port = 0, address = `${host}:${port}`, tls, behave }: GrpcCollectorOptions = {},
): Promise<Collector> {
  const server = new Server();
  const state = emptyState();
  const asIs = (bytes: Buffer) => bytes;
  for (const [signal, path] of Object.entries(SERVICES)) {
    const definition = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    } as const;
    server.addService(
      { export: definition },
      {
        export: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          const behaviour = behave?.(state.requests) ?? "take";
          state.requests++;
          state.clients.push(`${call.getAuthContext().sslPeerCertificate?.subject.CN ?? ""}`);
          state.headers = call.metadata.getMap();
          if (behaviour === "sleep") return;
          if (typeof behaviour === "object" && "code" in behaviour) {
            answer({
              code: behaviour.code,
              details: behaviour.details ?? "",
              metadata: detailsOf(behaviour),
            });
            return;
          }
          if (signal === "metrics") state.metrics.push(decodeMetrics(call.request));
          else state.received.push(...decodeRequest(signal === "logs" ? "logs" : "traces", call.request));
          answer(null, behaviour === "take" ? Buffer.alloc(0) : partialSuccess(behaviour));
        },
      },
    );
  }
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.ca ?? null,
          [{ private_key: tls.key, cert_chain: tls.cert }],
          tls.ca !== undefined,
        );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (error, got) => (error ? reject(error) : resolve(got)));
  });
  const stop = async () => server.forceShutdown();
  t.after(stop);
  return Object.assign(state, { port: bound, stop });
}

/** What a collector has got, at the start. */
export function emptyState() {
  const received: Received[] = [];
  const metrics: Collector["metrics"] = [];
  const headers: Readonly<Record<string, unknown>> = {};
  const clients: string[] = [];
  return { received, metrics, requests: 0, clients, headers };
}

/** An Export…ServiceResponse with a partial success. */
export function partialSuccess({ rejected, message = "" }: { rejected: number; message?: string }): Buffer {
  const inner = Buffer.concat([
    Buffer.from([0x08, rejected]),
    Buffer.from([0x12, message.length]),
    Buffer.from(message),
  ]);
  return Buffer.concat([Buffer.from([0x0a, inner.length]), inner]);
}

function detailsOf({ code, retryAfterMs }: { code: number; retryAfterMs?: number }): Metadata {
  const metadata = new Metadata();
  if (retryAfterMs !== undefined) metadata.set("grpc-status-details-bin", rpcStatus(code, retryAfterMs));
  return metadata;
}

/** A google.rpc.Status with a RetryInfo of whole seconds and ms below 128 of each. */
export function rpcStatus(code: number, retryAfterMs: number): Buffer {
  const seconds = Math.floor(retryAfterMs / 1000);
  const nanos = BigInt(retryAfterMs % 1000) * 1_000_000n;
  const duration = Buffer.from([0x08, ...varint(BigInt(seconds)), 0x10, ...varint(nanos)]);
  const retryInfo = Buffer.concat([Buffer.from([0x0a, duration.length]), duration]);
  const type = Buffer.from("type.googleapis.com/google.rpc.RetryInfo");
  const any = Buffer.concat([
    Buffer.from([0x0a, type.length]),
    type,
    Buffer.from([0x12, retryInfo.length]),
    retryInfo,
  ]);
  return Buffer.concat([Buffer.from([0x08, code, 0x1a, any.length]), any]);
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 127n) | 128);
  }
}

export { status as GRPC };
