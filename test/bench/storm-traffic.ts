/**
 * One end of the storm's traffic, run inside a network namespace. `receive PORT` discards what comes;
 * `send ADDRESS PORT CONNECTIONS` fills that many connections until SIGTERM, then resets them, so that the storm ends at once.
 */
import { connect, createServer, type Socket } from "node:net";

const [role, ...args] = process.argv.slice(2);
if (role === "receive") receive(Number(args[0]));
else send(args[0] ?? "", Number(args[1]), Number(args[2]));

function receive(port: number): void {
  const server = createServer((socket) => socket.on("error", () => {}).resume());
  server.listen(port, () => console.log("listening"));
}

function send(host: string, port: number, connections: number): void {
  const chunk = new Uint8Array(65_536);
  const sockets: Socket[] = [];
  for (let i = 0; i < connections; i++) {
    const socket = connect({ host, port });
    // By way of the event loop: a link that takes all at once would never let it turn.
    const fill = () => {
      if (!socket.destroyed) socket.write(chunk, () => setImmediate(fill));
    };
    sockets.push(socket.on("connect", fill));
    socket.on("error", () => {});
  }
  process.on("SIGTERM", () => {
    for (const socket of sockets) socket.resetAndDestroy();
    setTimeout(() => process.exit(0), 50);
  });
}
