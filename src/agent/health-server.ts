import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { SetupError } from "../syscall/setup-error.ts";
import { OPEN_METRICS_TYPE, PROMETHEUS_TEXT_TYPE, wantsOpenMetrics } from "./wants-open-metrics.ts";

/** What a probe of the orchestrator is told. */
export interface Health {
  readonly ok: boolean;
  /** What is wrong or less than it could be, a sentence each. */
  readonly reasons: readonly string[];
}

export interface HealthServerOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly live: () => Health;
  readonly ready: () => Health;
  /** Text 0.0.4, or OpenMetrics 1.0. */
  readonly metrics: (openMetrics: boolean) => string;
  /** The page for people, HTML. */
  readonly page: () => string;
  /** Told of what one of these threw; whoever asked gets 500. */
  readonly failed: (error: unknown) => void;
}

/** A server that answers; disposing it ends its connections. */
export interface HealthServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How to reach it: `http://127.0.0.1:9464/`. */
  readonly url: string;
}

/** Bounds in size, number and time: what asks for metrics needs little of each. */
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 32;
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 20_000; // longer than the usual scrape interval, 15 s
/** A reader that takes nothing for so long is cut off. */
const SILENCE_MS = 30_000;
const CHECK_MS = 1_000;
/** How long answers under way may take at the end. */
const CLOSING_MS = 1_000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const PLAIN = "text/plain; charset=utf-8";
const HTML = "text/html; charset=utf-8";

/** Answers /livez, /readyz, /metrics and a page on one port, GET and HEAD only; throws SetupError where the port cannot be had. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    (request, response) => send(request, response, answer(request, options)),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(SILENCE_MS);
  await listen(server, options);
  const { address, port } = server.address() as AddressInfo;
  const host = isIPv6(address) ? `[${address}]` : address;
  return {
    host: address,
    port,
    url: `http://${host}:${port}/`,
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  try {
    server.listen({ host, port });
    await once(server, "listening");
  } catch (error) {
    throw refused(error, { host, port });
  }
}

function refused(error: unknown, { host, port }: Pick<HealthServerOptions, "host" | "port">): SetupError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const where = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (code === "EADDRINUSE") {
    return new SetupError(
      "port",
      `Cannot serve health and metrics on ${where}: another program has this port`,
      {
        cause: error,
        remedy: "Give another port, or end that program (ss -ltnp shows it)",
      },
    );
  }
  return new SetupError("port", `Cannot serve health and metrics on ${where}: listen says ${code}`, {
    cause: error,
    remedy: "Give an address of this host (127.0.0.1 by default) and a port that may be used",
  });
}

function answer(request: IncomingMessage, options: HealthServerOptions): Answer {
  if (request.method !== "GET" && request.method !== "HEAD")
    return { status: 405, type: PLAIN, body: "GET and HEAD only\n" };
  const path = (request.url ?? "/").replace(/\?.*/s, "");
  try {
    switch (path) {
      case "/livez":
        return ofHealth(options.live());
      case "/readyz":
        return ofHealth(options.ready());
      case "/metrics": {
        const open = wantsOpenMetrics(request.headers.accept);
        const type = open ? OPEN_METRICS_TYPE : PROMETHEUS_TEXT_TYPE;
        return { status: 200, type, body: options.metrics(open) };
      }
      case "/":
        return { status: 200, type: HTML, body: options.page() };
      default:
        return { status: 404, type: PLAIN, body: "There are /, /metrics, /livez and /readyz\n" };
    }
  } catch (error) {
    options.failed(error); // a fault in what is shown must not end what is measured
    return { status: 500, type: PLAIN, body: "A fault of tcpretrans itself: its log says more\n" };
  }
}

function ofHealth({ ok, reasons }: Health): Answer {
  const body = [ok ? "ok" : "not ok", ...reasons].map((line) => `${line}\n`).join("");
  return { status: ok ? 200 : 503, type: PLAIN, body };
}

/** The page has neither scripts nor anything from elsewhere, and nobody may frame it. */
const SECURITY = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  vary: "Accept",
} as const;

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  const content = Buffer.from(body);
  response.writeHead(status, {
    ...SECURITY,
    "content-type": type,
    "content-length": content.length,
    ...(status === 405 ? { allow: "GET, HEAD" } : {}),
    // A body that nobody reads would stand in the way of the next request.
    ...(hasBody(request) ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : content);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), CLOSING_MS);
  await closed;
  clearTimeout(late);
}
