import type { SocketFields } from "../event/tcp-event.ts";

/** Bounds the memory: connections whose value is kept, a power of two. */
const SLOTS = 1024;

interface Slot<T> {
  readonly socket: SocketFields;
  readonly value: T;
}

/**
 * Remembers what is made of a socket's ends and state, and of nothing else of it: in a storm many events are of few
 * connections.
 */
export function byConnection<T>(make: (socket: SocketFields) => T): (socket: SocketFields) => T {
  const slots: (Slot<T> | undefined)[] = new Array(SLOTS).fill(undefined);
  return (socket) => {
    const index = (socket.localPort + 31 * socket.peerPort) & (SLOTS - 1);
    const slot = slots[index];
    if (slot !== undefined && isSameConnection(slot.socket, socket)) return slot.value;
    const value = make(socket);
    slots[index] = { socket, value };
    return value;
  };
}

/** Whether two looks at sockets show the same connection in the same state. */
export function isSameConnection(a: SocketFields, b: SocketFields): boolean {
  return a === b || (a.state === b.state && hasSameEnds(a, b));
}

/** Whether two looks at sockets show the same addresses and ports. */
export function hasSameEnds(a: SocketFields, b: SocketFields): boolean {
  // Of one object too: V8 compiles what it has seen to happen, and would begin anew with the first that differ.
  return (
    a.localPort === b.localPort &&
    a.peerPort === b.peerPort &&
    a.localAddress === b.localAddress &&
    a.peerAddress === b.peerAddress
  );
}
