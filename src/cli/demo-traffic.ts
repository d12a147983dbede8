import { readSync, writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What a process of the demonstration does; the link's firewall treats each port as its name says. */
export const DEMO_PORTS = {
  /** Loses few packets: bursts recover by fast retransmit. */
  bulk: 5001,
  /** Loses more: a lost single packet is found by a tail loss probe. */
  request: 5002,
  /** Loses many: timeouts with backoff, SYNs and SYN-ACKs. */
  awful: 5003,
  /** Loses all: nothing but SYNs. */
  closed: 5009,
} as const;

/** `serve`: echo on every port. `talk ADDRESS…`: traffic to them. `fill`: a full accept queue. `knock PORT`: connect to it. */
export type DemoRole = "serve" | "talk" | "fill" | "knock";

/** Plays one part of the demonstration until its standard input is closed, which a parent's death does too. */
export async function runDemoTraffic(role: string, args: readonly string[]): Promise<void> {
  if (role !== "fill") endWithParent();
  switch (role) {
    case "serve":
      return serve();
    case "talk":
      return talk(args);
    case "fill":
      return fill();
    case "knock":
      return knock(Number(args[0]));
    default:
      throw new RangeError(`Cannot play "${role}": the demonstration has no such role`);
  }
}

function endWithParent(): void {
  process.stdin.on("end", () => process.exit(0));
  process.stdin.on("error", () => process.exit(0));
  process.stdin.resume();
}

/** Never returns: the process ends a second after its command. */
function serve(): Promise<never> {
  for (const port of [DEMO_PORTS.bulk, DEMO_PORTS.request, DEMO_PORTS.awful]) {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.pipe(socket);
    });
    // One listener for both families: its IPv4 connections are v4-mapped sockets.
    server.listen(port, "::").on("error", () => server.listen(port, "0.0.0.0"));
  }
  return Promise.withResolvers<never>().promise;
}

async function talk(addresses: readonly string[]): Promise<void> {
  const { bulk, request, awful, closed } = DEMO_PORTS;
  const plans: readonly Plan[] = [
    { port: bulk, bytes: 50_000, everyMs: 900, exchanges: 20, patienceMs: 6000 },
    { port: request, bytes: 300, everyMs: 400, exchanges: 12, patienceMs: 6000 },
    { port: awful, bytes: 3000, everyMs: 1500, exchanges: 3, patienceMs: 9000 },
    { port: closed, bytes: 1, everyMs: 8000, exchanges: 1, patienceMs: 3500 },
  ];
  const shared = plans.flatMap((plan) =>
    addresses.map((address, index) => keepTalking(address, { ...plan, delayMs: (index * plan.everyMs) / 2 })),
  );
  await Promise.all(shared);
}

interface Plan {
  readonly port: number;
  /** Sent at once, and awaited back. */
  readonly bytes: number;
  readonly everyMs: number;
  /** Exchanges until a new connection is made. */
  readonly exchanges: number;
  /** How long an exchange, or connecting, may take before the connection is given up. */
  readonly patienceMs: number;
}

async function keepTalking(address: string, plan: Plan & { readonly delayMs: number }): Promise<never> {
  await sleep(plan.delayMs);
  for (;;) {
    const socket = connect({ host: address, port: plan.port, noDelay: true });
    let pauseMs = plan.everyMs;
    socket.on("error", () => {
      pauseMs = 50; // refused: the server is about to listen
    });
    socket.on("end", () => socket.destroy());
    for (let i = 0; i < plan.exchanges && !socket.destroyed; i++) {
      if (!(await exchange(socket, plan))) break;
      await sleep(plan.everyMs);
    }
    socket.destroy();
    await sleep(pauseMs);
  }
}

/** Sends a burst and waits until all of it has come back; false when it did not in time. */
function exchange(socket: Socket, { bytes, patienceMs }: Plan): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  let missing = bytes;
  const onChunk = (chunk: Buffer) => {
    missing -= chunk.length;
    if (missing <= 0) resolve(true);
  };
  const onClose = () => resolve(false);
  const timer = setTimeout(onClose, patienceMs);
  socket.on("data", onChunk).on("close", onClose);
  socket.write(Buffer.alloc(bytes, "tcpretrans demonstration "));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off("data", onChunk).off("close", onClose);
  });
}

/** Listens with the smallest backlog and accepts nothing: the event loop is blocked until standard input is closed. */
function fill(): Promise<never> {
  const server = createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    const address = server.address();
    if (address !== null && typeof address !== "string") writeSync(1, `${address.port}\n`);
    const nap = new Int32Array(new SharedArrayBuffer(4));
    while (isParentAlive()) Atomics.wait(nap, 0, 0, 200);
    process.exit(0);
  });
  return Promise.withResolvers<never>().promise;
}

/** Standard input is a non-blocking socket: nothing to read is EAGAIN, a closed one reads as ended. */
function isParentAlive(): boolean {
  try {
    return readSync(0, Buffer.alloc(1)) > 0;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EAGAIN";
  }
}

/** Keeps the accept queue of a port full: further SYNs are dropped, and sent again after 1 s, 2 s … (tcp_conn_request). */
async function knock(port: number): Promise<void> {
  const clients = Array.from({ length: 6 }, (_, index) => keepKnocking(port, index * 300));
  await Promise.all(clients);
}

async function keepKnocking(port: number, delayMs: number): Promise<never> {
  await sleep(delayMs);
  for (;;) {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => socket.destroy());
    await sleep(8000);
    // Those that got into the queue stay and keep it full.
    if (!socket.connecting && !socket.destroyed)
      await new Promise<void>((resolve) => socket.once("close", resolve));
    socket.destroy();
  }
}
