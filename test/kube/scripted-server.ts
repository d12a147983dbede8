import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, openApiClient } from "../../src/kube/api-client.ts";
import type { Clock } from "../../src/kube/clock.ts";

/** Bytes that a real API server (1.36) gave. */
export function recorded(name: string): string {
  return readFileSync(join(import.meta.dirname, "../fixtures/kube", name), "utf8");
}

/** A request as the server got it, and how to answer. */
export interface Call {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** Begins an answer. */
  begin(status?: number, headers?: Record<string, string>): void;
  /** The whole answer. */
  json(text: string, status?: number, headers?: Record<string, string>): void;
  /** Begins an answer, or goes on with it. */
  write(text: string | Uint8Array): void;
  end(): void;
  /** Cuts the connection. */
  reset(): void;
}

/** A server on a real socket that answers each call as the test says. */
export class ScriptedServer implements AsyncDisposable {
  readonly calls: Call[] = [];
  readonly dir = mkdtempSync(join(tmpdir(), "tcpretrans-kube-"));
  answer: (call: Call) => void;
  connections = 0;
  #server: Server | undefined;
  #port = 0;

  constructor(answer: (call: Call) => void = () => {}) {
    this.answer = answer;
  }

  static async start(answer?: (call: Call) => void): Promise<ScriptedServer> {
    const server = new ScriptedServer(answer);
    await server.up();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before. */
  async up(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server = createServer((request, response) => {
      const call = callOf(request, response);
      this.calls.push(call);
      this.answer(call);
    });
    this.#server.on("connection", () => this.connections++);
    this.#server.on("error", reject).listen(this.#port, "127.0.0.1", resolve);
    await promise;
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections and cuts those it has. */
  async down(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#server?.listening !== true) return;
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  /** A file beside the kubeconfig. */
  file(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text);
    return path;
  }

  /** A kubeconfig for this server. */
  kubeconfig(user: Record<string, unknown> = { token: "secret" }, server = this.url): string {
    return this.file("config", kubeconfigText(user, { server }));
  }

  client(clock: Clock, user?: Record<string, unknown>): Promise<ApiClient> {
    return openApiClient({ kubeconfig: this.kubeconfig(user), userAgent: "tcpretrans-test", clock });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
    rmSync(this.dir, { recursive: true });
  }
}

/** A kubeconfig of one context. */
export function kubeconfigText(user: Record<string, unknown>, cluster: Record<string, unknown>): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });
}

function callOf(request: IncomingMessage, response: ServerResponse): Call {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://server");
  const begin = (status = 200, headers = {}) => {
    if (!response.headersSent) response.writeHead(status, { "content-type": "application/json", ...headers });
  };
  return {
    begin,
    path: pathname,
    query: searchParams,
    headers: request.headers,
    json: (text, status, headers) => {
      begin(status, headers);
      response.end(text);
    },
    write: (text) => {
      begin();
      response.write(text);
    },
    end: () => {
      begin();
      response.end();
    },
    reset: () => request.socket.destroy(),
  };
}
