/**
 * One end of the storm's traffic, run inside a network namespace. `receive PORT` discards what comes;
 * `send ADDRESS PORT CONNECTIONS [RETRANSMITS]` fills that many connections until SIGTERM, at most to so many retransmits a
 * second, then resets them, so that the storm ends at once.
 */
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";

/** How often what may be sent is let out, and how often it is set anew by what the kernel counted. */
const STEP_MS = 10;
const STEPS = 20;
const CHUNK = 65_536;
const HELD_CHUNK = 4096;

const [role, ...args] = process.argv.slice(2);
if (role === "receive") receive(Number(args[0]));
else
  send(args[0] ?? "", Number(args[1]), {
    connections: Number(args[2]),
    perSecond: Number(args[3] ?? Infinity),
  });

function receive(port: number): void {
  const server = createServer((socket) => socket.on("error", () => {}).resume());
  server.listen(port, () => console.log("listening"));
}

interface Sending {
  readonly connections: number;
  readonly perSecond: number;
}

function send(host: string, port: number, { connections, perSecond }: Sending): void {
  const isHeld = Number.isFinite(perSecond);
  const chunk = new Uint8Array(isHeld ? HELD_CHUNK : CHUNK);
  const sockets: Socket[] = [];
  const waiting: (() => void)[] = [];
  for (let i = 0; i < connections; i++) {
    const socket = connect({ host, port });
    const again = () => {
      if (isHeld) waiting.push(fill);
      else setImmediate(fill); // by way of the event loop: a link that takes all at once would never let it turn
    };
    const fill = () => {
      if (!socket.destroyed) socket.write(chunk, again);
    };
    sockets.push(socket.on("connect", again));
    socket.on("error", () => {});
  }
  if (isHeld) hold(perSecond, (chunks) => waiting.splice(0, chunks).forEach((fill) => void fill()));
  process.on("SIGTERM", () => {
    for (const socket of sockets) socket.resetAndDestroy();
    setTimeout(() => process.exit(0), 50);
  });
}

/** Lets out as much as makes so many retransmits a second: how much that is, the kernel's counter tells. */
function hold(perSecond: number, letOut: (chunks: number) => void): void {
  let [bytesPerMs, allowed, steps] = [perSecond, 0, 0]; // 1,000 bytes a retransmit, to begin with
  let [counted, at] = [retransmits(), performance.now()];
  setInterval(() => {
    allowed = Math.min(allowed + bytesPerMs * STEP_MS, bytesPerMs * STEP_MS * 2);
    const chunks = Math.floor(allowed / HELD_CHUNK);
    allowed -= chunks * HELD_CHUNK;
    letOut(chunks);
    if (++steps % STEPS !== 0) return;
    const [now, nowAt] = [retransmits(), performance.now()];
    const rate = (1000 * (now - counted)) / (nowAt - at);
    bytesPerMs *= Math.min(1.5, Math.max(0.5, perSecond / Math.max(rate, 1)));
    [counted, at] = [now, nowAt];
  }, STEP_MS);
}

/** RetransSegs of this namespace. */
function retransmits(): number {
  const [names, values] = readFileSync("/proc/self/net/snmp", "latin1")
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  return Number(values?.[names?.indexOf("RetransSegs") ?? -1]);
}
