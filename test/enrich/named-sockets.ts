import type { SocketKey } from "../../src/event/tcp-event.ts";
import type { Socket } from "./connection-world.ts";

/** Addresses of nodes, and of a service. */
export const NODES = { a: "172.16.0.1", b: "172.16.0.2" };
export const SERVICE = "10.96.0.10";
export const HOST_PORT = 8443;

/** Both ends of a connection as a socket sees them. */
export interface Pair {
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
}

/** A socket with what the kernel calls it by. */
export interface NamedSocket extends Socket {
  readonly fields: Pair & { readonly key: SocketKey };
}

/** Gives each socket the lowest key that is free, and a port that no other of its namespace has to that peer. */
export function nameSockets(sockets: readonly Socket[]): readonly NamedSocket[] {
  const named: NamedSocket[] = [];
  for (const socket of sockets.toSorted((a, b) => a.beganMs - b.beganMs)) {
    const others = named.filter(({ endedMs }) => endedMs >= socket.beganMs);
    const key = lowestFree(1, (key) => others.some(({ fields }) => fields.key === key));
    const isTaken = (port: number) =>
      others.some(({ local, fields }) => local === socket.local && isSamePair(fields, pairOf(socket, port)));
    const port = lowestFree(40_000 + socket.plan.port, isTaken);
    named.push({ ...socket, fields: { ...pairOf(socket, port), key: key as SocketKey } });
  }
  return named;
}

export function isSamePair(a: Pair, b: Pair): boolean {
  if (a.localPort !== b.localPort || a.peerPort !== b.peerPort) return false;
  return a.localAddress === b.localAddress && a.peerAddress === b.peerAddress;
}

function pairOf({ plan, local, destination }: Socket, port: number): Pair {
  const localAddress = local.address;
  if (plan.side === "server") {
    const peerAddress = plan.path === "masquerade" ? NODES.a : destination;
    return { localAddress, localPort: 8080, peerAddress, peerPort: port };
  }
  const own = { localAddress, localPort: port };
  if (plan.path === "service") return { ...own, peerAddress: SERVICE, peerPort: 80 };
  if (plan.path === "hostPort") return { ...own, peerAddress: NODES.b, peerPort: HOST_PORT };
  return { ...own, peerAddress: destination, peerPort: 8080 };
}

function lowestFree(from: number, isTaken: (value: number) => boolean): number {
  let value = from;
  while (isTaken(value)) value++;
  return value;
}
