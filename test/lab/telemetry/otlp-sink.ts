import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { decodeRequest, type Received } from "../../export/otlp/decode-otlp.ts";

/**
 * Keeps every log record and span that the Collector forwards as OTLP/HTTP, on a free port of 127.0.0.1. A request whose
 * answer did not reach the agent comes again with the same bytes: that one is counted and left out, whole.
 */
export class OtlpSink implements AsyncDisposable {
  readonly logs: Received[] = [];
  readonly spans: Received[] = [];
  /** Requests that had come before. */
  repeats = 0;
  readonly #seen = new Set<string>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#take(request, response));
  }

  static async listen(): Promise<OtlpSink> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new OtlpSink(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part);
      const body = Buffer.concat(parts);
      const bytes = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      const hash = createHash("sha256").update(bytes).digest("hex");
      if (this.#seen.has(hash)) this.repeats++;
      else if (request.url === "/v1/logs") this.logs.push(...decodeRequest("logs", bytes));
      else this.spans.push(...decodeRequest("traces", bytes));
      this.#seen.add(hash);
      response.setHeader("content-type", "application/x-protobuf").end();
    } catch (error) {
      response.writeHead(400).end(String(error));
    }
  }
}
