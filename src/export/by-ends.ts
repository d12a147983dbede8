import type { Ends } from "../event/end-name.ts";
import type { SocketFields } from "../event/tcp-event.ts";

/** Bounds the memory: connections whose value is kept, a power of two. */
const SLOTS = 1024;

interface Slot<T> {
  readonly ends: Ends;
  readonly value: T;
}

/** Remembers what is made of a connection's names for as long as they are the same object: enrich/ sees to that. */
export function byEnds<T>(make: (ends: Ends) => T): (socket: SocketFields, ends: Ends) => T {
  const slots: (Slot<T> | undefined)[] = new Array(SLOTS).fill(undefined);
  return ({ localPort, peerPort }, ends) => {
    const index = (localPort + 31 * peerPort) & (SLOTS - 1);
    const slot = slots[index];
    if (slot !== undefined && slot.ends === ends) return slot.value;
    const value = make(ends);
    slots[index] = { ends, value };
    return value;
  };
}
