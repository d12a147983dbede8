/**
 * Sockets of one namespace of a NatLink. Listens on the ports of its arguments; takes `ADDRESS PORT` a line on
 * standard input, or `ADDRESS PORT LOCAL_PORT`, and connects there. Prints one JSON line for each connection as that end sees it, and keeps it
 * open. Ends with its standard input.
 */
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** One end of a connection, as its own socket names it. */
export interface SocketEnd {
  readonly role: "opener" | "answerer";
  readonly ipVersion: 4 | 6;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
}

if (import.meta.filename === process.argv[1]) {
  const ports = process.argv.slice(2).map(Number);
  const sockets: Socket[] = [];
  const say = (socket: Socket, role: SocketEnd["role"]) => {
    sockets.push(socket.on("error", () => {}));
    console.log(JSON.stringify(endOf(socket, role)));
  };
  const listening = ports.map((port) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    createServer((socket) => say(socket, "answerer")).listen(port, "::", resolve);
    return promise;
  });
  await Promise.all(listening);
  console.log("listening");
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const [host = "", port, localPort] = line.split(" ");
    const from = localPort === undefined ? {} : { localPort: Number(localPort) };
    const socket = connect({ host, port: Number(port), ...from }, () => say(socket, "opener"));
    socket.on("error", (error) => console.error(line, error));
  });
  lines.on("close", () => {
    for (const socket of sockets) socket.resetAndDestroy();
    process.exit(0);
  });
}

function endOf(socket: Socket, role: SocketEnd["role"]): SocketEnd {
  const plain = (address = "") => address.replace(/^::ffff:/, "");
  const localAddress = plain(socket.localAddress);
  return {
    role,
    ipVersion: localAddress.includes(":") ? 6 : 4,
    localAddress,
    localPort: socket.localPort ?? 0,
    peerAddress: plain(socket.remoteAddress),
    peerPort: socket.remotePort ?? 0,
  };
}
