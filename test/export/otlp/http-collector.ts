import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { TLSSocket } from "node:tls";
import { gunzipSync } from "node:zlib";
import { decodeMetrics, decodeRequest } from "./decode-otlp.ts";
import { type Collector, emptyState, partialSuccess, type ServerTls } from "./grpc-collector.ts";

/** What a collector does with a request. */
export type HttpBehaviour =
  | "take"
  /** Never answers. */
  | "sleep"
  /** Breaks the connection off. */
  | "reset"
  | { readonly status: number; readonly retryAfter?: string; readonly body?: string; readonly type?: string }
  | { readonly rejected: number; readonly message?: string };

export interface HttpCollectorOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: ServerTls;
  /** By the number of the request, from 0; every request is taken without it. */
  readonly behave?: (request: number) => HttpBehaviour;
}

/** A real HTTP server that takes OTLP. */
export async function httpCollector(
  t: TestContext,
  { host = "127.0.0.1", port = 0, tls, behave }: HttpCollectorOptions = {},
): Promise<Collector> {
  const state = emptyState();
  const listener = async (request: IncomingMessage, response: ServerResponse) => {
    const behaviour = behave?.(state.requests) ?? "take";
    state.requests++;
    const { socket } = request;
    state.clients.push(socket instanceof TLSSocket ? `${socket.getPeerCertificate().subject?.CN ?? ""}` : "");
    state.headers = { ...request.headers, path: request.url };
    if (behaviour === "sleep") return;
    if (behaviour === "reset") return void request.socket.resetAndDestroy();
    if (typeof behaviour === "object" && "status" in behaviour) {
      request.resume();
      const { status, retryAfter, body = "", type = "text/plain" } = behaviour;
      response.writeHead(status, {
        "content-type": type,
        ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
      });
      return void response.end(body);
    }
    const body = await bodyOf(request);
    if (request.url?.endsWith("/v1/metrics")) state.metrics.push(decodeMetrics(body));
    else state.received.push(...decodeRequest(request.url?.endsWith("/v1/logs") ? "logs" : "traces", body));
    response.writeHead(200, { "content-type": "application/x-protobuf" });
    response.end(behaviour === "take" ? undefined : partialSuccess(behaviour));
  };
  const server =
    tls === undefined
      ? createHttp(listener)
      : createHttps(
          { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: tls.ca !== undefined },
          listener,
        );
  server.keepAliveTimeout = 0; // as Go's servers: an idle connection stays open until the client closes it
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  t.after(stop);
  return Object.assign(state, { port: (server.address() as AddressInfo).port, stop });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  return request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
}
