import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createGunzip, type Gunzip } from "node:zlib";
import { ApiCredentials, type RequestGrounds } from "./api-credentials.ts";
import type { ApiProblem, ApiTarget } from "./api-problem.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { notKubernetes, statusProblem, transportProblem } from "./errors.ts";
import { SilenceGuard } from "./silence-guard.ts";

/** How long the head of an answer may take, in ms: a list is made before its first byte is sent. */
const HEAD_MS = 60_000;
/** Work on one answer before others get their turn, in ms. */
const SLICE_MS = 5;
const MAX_FAILED_BODY_BYTES = 64 * 1024;
/** A connection whose other end is gone is found out after 30 + 3 × 10 s (since Node 24.21; before, when a watch is over). */
const KEEP_ALIVE = { afterMs: 30_000, intervalMs: 10_000, probes: 3 };

export interface ApiClientOptions {
  /** Path of a kubeconfig; without it as kubectl does, and in a pod its service account. */
  readonly kubeconfig?: string | undefined;
  readonly userAgent: string;
  readonly clock?: Clock;
}

export interface ReadOptions {
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** How long the body may stand still, in ms; asked anew as time passes. */
  readonly silenceMs: () => number;
  /** The answer has begun, and is a success. */
  readonly opened: () => void;
  /** Takes the next bytes of the body; false: no more are wanted. */
  readonly chunk: (bytes: Uint8Array) => boolean;
  /** So many more bytes of the body came over the wire, packed where they were. */
  readonly received: (bytes: number) => void;
}

/** One API server, asked with one set of kept connections. */
export interface ApiClient {
  readonly server: string;
  /** Asks for a path and reads the answer to its end; what keeps it from there is the value. Never throws by itself. */
  read(target: ApiTarget, options: ReadOptions): Promise<ApiProblem | undefined>;
  /** Reads kubeconfig, tokens and certificates anew; what is broken there now is the value. */
  renew(): Promise<ApiProblem | undefined>;
  close(): void;
}

/** Finds the API server and our credentials for it; throws a KubeconfigError where the configuration does not say. Sends nothing. */
export async function openApiClient(options: ApiClientOptions): Promise<ApiClient> {
  const { kubeconfig, userAgent, clock = SYSTEM_CLOCK } = options;
  const credentials = await ApiCredentials.open(kubeconfig, clock);
  return {
    get server() {
      return credentials.server;
    },
    read: async (target, reading) => {
      const grounds = await groundsUnlessStopped(credentials, reading.signal);
      if ("kind" in grounds) return grounds;
      const { server } = credentials;
      return await new Exchange({ server, grounds, userAgent, clock, target, reading }).run();
    },
    renew: () => credentials.renew(),
    close: () => credentials.close(),
  };
}

/** Whoever stops does not wait for the program that makes credentials. */
async function groundsUnlessStopped(
  credentials: ApiCredentials,
  signal: AbortSignal,
): Promise<RequestGrounds | ApiProblem> {
  if (signal.aborted) return STOPPED;
  const { promise: stopped, resolve } = Promise.withResolvers<ApiProblem>();
  const stop = () => resolve(STOPPED);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([credentials.grounds(), stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

interface ExchangeOptions {
  readonly server: string;
  readonly grounds: RequestGrounds;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly target: ApiTarget;
  readonly reading: ReadOptions;
}

/** One request and its answer. */
class Exchange {
  readonly #options: ExchangeOptions;
  #request: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  async run(): Promise<ApiProblem | undefined> {
    const { clock, reading } = this.#options;
    if (reading.signal.aborted) return STOPPED;
    using guard = new SilenceGuard({
      clock,
      signal: reading.signal,
      silenceMs: () => (this.#answer === undefined ? HEAD_MS : reading.silenceMs()),
      cut: () => (this.#answer ?? this.#request)?.destroy(),
    });
    try {
      const answer = await this.#send(guard);
      if (answer instanceof Error) return this.#why(answer, guard);
      guard.heard();
      if (answer.statusCode !== 200 || !isJson(answer)) return await this.#failed(answer, guard);
      reading.opened();
      return await this.#readBody(answer, reading.chunk, guard);
    } finally {
      this.#answer?.destroy();
    }
  }

  /** A kept connection that the server has closed is no news: one more request tells. */
  async #send(guard: SilenceGuard): Promise<IncomingMessage | Error> {
    const answer = await this.#sendOnce();
    const wasKept = answer instanceof Error && this.#request?.reusedSocket === true;
    const isOver = guard.silent || this.#options.reading.signal.aborted;
    return wasKept && !isOver ? await this.#send(guard) : answer;
  }

  #sendOnce(): Promise<IncomingMessage | Error> {
    const { server, grounds, userAgent, target, reading } = this.#options;
    const url = new URL(server + target.path);
    for (const [name, value] of Object.entries(reading.query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const { promise, resolve } = Promise.withResolvers<IncomingMessage | Error>();
    const headers = {
      ...grounds.headers,
      accept: "application/json",
      "accept-encoding": "gzip",
      "user-agent": userAgent,
    };
    const send = url.protocol === "http:" ? httpRequest : httpsRequest;
    const request = send(url, { headers, agent: grounds.agent, ...(grounds.auth && { auth: grounds.auth }) });
    this.#request = request;
    request.on("socket", (socket) => {
      socket.setKeepAlive(true, KEEP_ALIVE.afterMs, KEEP_ALIVE.intervalMs, KEEP_ALIVE.probes);
    });
    request.on("error", resolve);
    request.on("response", (answer) => {
      this.#answer = answer;
      resolve(answer);
    });
    request.end();
    return promise;
  }

  async #readBody(
    answer: IncomingMessage,
    take: ReadOptions["chunk"],
    guard: SilenceGuard,
  ): Promise<ApiProblem | undefined> {
    const gunzip =
      answer.headers["content-encoding"] === "gzip" ? createGunzip({ chunkSize: 65_536 }) : undefined;
    const body: AsyncIterable<Uint8Array> = gunzip === undefined ? answer : unpack(answer, gunzip);
    const chunks = body[Symbol.asyncIterator]();
    let plainBytes = 0;
    let wireBytes = 0;
    let sinceMs = performance.now();
    try {
      for (;;) {
        const next = await chunks.next().catch((error: unknown) => this.#why(error, guard));
        if ("kind" in next) return next;
        if (next.done === true) return undefined;
        guard.heard();
        plainBytes += next.value.length;
        const nowBytes = gunzip?.bytesWritten ?? plainBytes;
        this.#options.reading.received(nowBytes - wireBytes);
        wireBytes = nowBytes;
        if (!take(next.value)) return undefined;
        if (performance.now() - sinceMs < SLICE_MS) continue;
        await nextTurn();
        sinceMs = performance.now();
      }
    } finally {
      await chunks.return?.();
    }
  }

  async #failed(answer: IncomingMessage, guard: SilenceGuard): Promise<ApiProblem> {
    const { server, target } = this.#options;
    const parts: Uint8Array[] = [];
    let bytes = 0;
    const take = (part: Uint8Array) => {
      parts.push(part);
      bytes += part.length;
      return bytes < MAX_FAILED_BODY_BYTES;
    };
    const problem = await this.#readBody(answer, take, guard);
    if (problem?.kind === "stopped") return problem;
    const { "content-type": contentType, "retry-after": retryAfter } = answer.headers;
    const status = answer.statusCode ?? 0;
    if (status === 200) return notKubernetes(server, `it answers with ${contentType ?? "no content type"}`);
    const body = parseJson(Buffer.concat(parts).toString("utf8"));
    return statusProblem({ status, contentType, retryAfter, body }, server, target);
  }

  #why(error: unknown, guard: SilenceGuard): ApiProblem {
    const { server, reading } = this.#options;
    if (reading.signal.aborted) return STOPPED;
    if (!guard.silent) return transportProblem(error, server);
    if (this.#answer === undefined) return transportProblem({ code: "ETIMEDOUT" }, server);
    return { kind: "silent", sentence: `The API server at ${server} fell silent` };
  }
}

const STOPPED: ApiProblem = { kind: "stopped", sentence: "Stopped" };

function isJson(answer: IncomingMessage): boolean {
  return answer.headers["content-type"]?.startsWith("application/json") === true;
}

/** An error of either comes out of the unpacked stream. */
function unpack(answer: IncomingMessage, gunzip: Gunzip): Gunzip {
  return pipeline(answer, gunzip, () => {});
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
