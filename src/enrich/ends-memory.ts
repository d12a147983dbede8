import type { Ends } from "../event/end-name.ts";
import type { SocketFields } from "../event/tcp-event.ts";
import { isSameEnd } from "./ends.ts";

/** Bounds the memory: connections whose ends are kept, a power of two. */
const SLOTS = 1024;

/**
 * Gives the object that stood for a connection's ends before as long as it says the same, so that who prints them can
 * tell by identity that nothing changed.
 */
export function endsMemory(): (socket: SocketFields, ends: Ends) => Ends {
  const slots: (Ends | undefined)[] = new Array(SLOTS).fill(undefined);
  return ({ localPort, peerPort }, ends) => {
    const index = (localPort + 31 * peerPort) & (SLOTS - 1);
    const before = slots[index];
    if (before !== undefined && isSame(before, ends)) return before;
    slots[index] = ends;
    return ends;
  };
}

function isSame(a: Ends, b: Ends): boolean {
  return a.ownership === b.ownership && isSameEnd(a.local, b.local) && isSameEnd(a.peer, b.peer);
}
