import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { SetupError } from "../syscall/setup-error.ts";
import { type Answer, answerTo, type HealthSources, pathOf, plain } from "./health-answers.ts";
import { HttpConnections, type HttpCounts } from "./http-connections.ts";
import { HTTP_LIMITS, type HttpLimits } from "./http-limits.ts";
import { isLoopback, isSafeHost } from "./loopback-host.ts";
import { RateBudget } from "./rate-budget.ts";
import { readerOf } from "./reader-of.ts";

export interface HealthServerOptions extends HealthSources {
  /** An address of this host; `::` or `0.0.0.0`: all of them. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** A clock that never goes back, in ms. */
  readonly now: () => number;
  /** Told of what one of the sources threw; whoever asked gets 500. */
  readonly failed: (error: unknown) => void;
  /** Told of each answer, by the path that was asked for. */
  readonly answered: (path: string, status: number) => void;
  readonly limits?: Partial<HttpLimits>;
}

/** A server that answers; disposing it ends its connections. */
export interface HealthServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** How to reach it from this host: `http://127.0.0.1:9464/`. */
  readonly url: string;
  readonly counts: HttpCounts;
}

/** Answers /livez, /readyz, /metrics and a page on one port, GET and HEAD only; throws SetupError where the port cannot be had. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const connections = new HttpConnections(limits);
  const respond = responder(options, { limits, connections });
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
    },
    respond,
  );
  server.on("connection", (socket) => connections.opened(socket));
  await listen(server, options);
  server.on("error", options.failed); // such as no descriptor left for a connection
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    url: `http://${reachable(address)}:${port}/`,
    counts: connections.counts,
    [Symbol.asyncDispose]: () => close(server, limits.closingMs),
  };
}

async function listen(server: Server, { host, port }: HealthServerOptions): Promise<void> {
  try {
    // Without a host Node takes `::`, which IPv4 comes to as well, or `0.0.0.0` where the kernel has no IPv6.
    server.listen(host === "::" ? { port } : { host, port });
    await once(server, "listening");
  } catch (error) {
    throw refused(error, { host, port });
  }
}

function refused(error: unknown, { host, port }: Pick<HealthServerOptions, "host" | "port">): SetupError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const where = `${bracketed(host)}:${port}`;
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

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}

/** An address of this host that one of all its addresses stands for. */
function reachable(address: string): string {
  if (address === "::") return "[::1]";
  return address === "0.0.0.0" ? "127.0.0.1" : bracketed(address);
}

interface Bounds {
  readonly limits: HttpLimits;
  readonly connections: HttpConnections;
}

function responder(options: HealthServerOptions, { limits, connections }: Bounds) {
  const budget = new RateBudget(limits.costly);
  const affords = () => {
    const yes = !connections.full && budget.take(options.now());
    if (!yes) connections.refuses();
    return yes;
  };
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    if (!connections.asked(socket, response)) return;
    const answer = answerOf(request, affords, options);
    const content = answer.body === undefined ? undefined : Buffer.from(answer.body);
    connections.sends(response, content?.length ?? 0);
    options.answered(pathOf(request.url ?? "/"), answer.status);
    send(request, response, { answer, content });
  };
}

function answerOf(request: IncomingMessage, affords: () => boolean, options: HealthServerOptions): Answer {
  const { method = "", url = "/", headers, socket } = request;
  if (isLoopback(socket.localAddress ?? "") && !isSafeHost(headers.host)) return MISDIRECTED;
  const reader = readerOf(request);
  try {
    return answerTo({ method, url, accept: headers.accept, reader, affords }, options);
  } catch (error) {
    options.failed(error); // a fault in what is shown must not end what is measured
    return FAULT;
  }
}

const FAULT = plain(500, "A fault of tcpretrans itself: its log says more\n");
/** A page of someone else, in a browser on this host, whose name was made to point here (DNS rebinding). */
const MISDIRECTED = plain(421, "On loopback, ask by address or as localhost\n");

interface Sent {
  readonly answer: Answer;
  readonly content: Buffer | undefined;
}

function send(request: IncomingMessage, response: ServerResponse, { answer, content }: Sent): void {
  response.writeHead(answer.status, {
    "content-type": answer.type,
    "content-security-policy": answer.policy,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    ...answer.more,
    ...(content === undefined ? {} : { "content-length": content.length }),
    // A body that nobody reads would stand in the way of the next request.
    ...(hasBody(request) ? { connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : content);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

async function close(server: Server, closingMs: number): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), closingMs);
  await closed;
  clearTimeout(late);
}
