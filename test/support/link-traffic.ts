/**
 * One end of a test link's traffic, run inside a network namespace. `serve PORT…` answers each request with one byte
 * when all of it has come. `ask` takes one Ask in JSON a line on standard input, and answers each with an Answer.
 * Both end with their standard input; connections are reset, so that nothing is retransmitted after.
 */
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** What the asking end does: so many connections at once, each with one request. */
export interface Ask {
  /** `::ffff:192.0.2.1` makes a v4-mapped socket. */
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Bytes of each request; 0 only connects. */
  readonly bytes: number;
}

export interface Answer {
  /** Connections whose request was answered. */
  readonly answered: number;
  /** Why the others ended. */
  readonly errors: readonly string[];
}

if (import.meta.filename === process.argv[1]) {
  const [role, ...ports] = process.argv.slice(2);
  if (role === "serve") serve(ports.map(Number));
  else takeAsks();
}

function serve(ports: readonly number[]): void {
  let waiting = ports.length;
  for (const port of ports) {
    // One listener for both families: its IPv4 connections are v4-mapped sockets.
    createServer(answerWhole).listen(port, "::", () => {
      if (--waiting === 0) console.log("listening");
    });
  }
  process.stdin.on("end", () => process.exit(0)).resume();
}

function answerWhole(socket: Socket): void {
  let missing = Number.NaN;
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    missing = Number.isNaN(missing) ? chunk.readUInt32LE() - chunk.length : missing - chunk.length;
    if (missing <= 0) socket.write("!");
  });
}

function takeAsks(): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const request: Ask = JSON.parse(line);
    const ends = await Promise.all(Array.from({ length: request.connections }, () => ask(request)));
    const errors = ends.filter((end) => end !== undefined);
    console.log(JSON.stringify({ answered: ends.length - errors.length, errors }));
  });
  lines.on("close", () => process.exit(0));
}

/** Makes one connection and one request; gives why it failed, if it did. */
function ask({ host, port, bytes }: Ask): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = connect({ host, port, noDelay: true });
  socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
  socket.on("close", () => resolve("closed"));
  socket.on("connect", () => {
    if (bytes === 0) return resolve(undefined);
    const request = Buffer.alloc(Math.max(bytes, 4), "retransmit ");
    request.writeUInt32LE(request.length);
    socket.write(request);
  });
  socket.on("data", () => resolve(undefined));
  return promise.finally(() => socket.resetAndDestroy());
}
