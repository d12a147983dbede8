import type { EndName, Ends } from "../event/end-name.ts";

/** Bounds the memory: pairs kept; beyond it all are made anew. */
const MAX_PAIRS = 4096;

/** What stands for an end: its pod or service, which are the same objects for life, or its name. */
type EndKey = object | string;

interface Kept<T> {
  readonly ends: Ends;
  readonly value: T;
}

/** Remembers what is made of two ends for all connections between them, without building a key. */
export class Pairs<T> {
  readonly #make: (ends: Ends) => T;
  readonly #byLocal = new Map<EndKey, Map<EndKey, Kept<T>>>();
  #size = 0;

  constructor(make: (ends: Ends) => T) {
    this.#make = make;
  }

  get(ends: Ends): T {
    const local = keyOf(ends.local);
    const peer = keyOf(ends.peer);
    const kept = this.#byLocal.get(local)?.get(peer);
    if (kept !== undefined && isSamePair(kept.ends, ends)) return kept.value;
    if (this.#size >= MAX_PAIRS) this.clear();
    const value = this.#make(ends);
    const byPeer = this.#byLocal.get(local) ?? new Map<EndKey, Kept<T>>();
    this.#byLocal.set(local, byPeer.set(peer, { ends, value }));
    if (kept === undefined) this.#size++;
    return value;
  }

  clear(): void {
    this.#byLocal.clear();
    this.#size = 0;
  }
}

function keyOf({ pod, service, name }: EndName): EndKey {
  return pod ?? service ?? name;
}

/** Equal keys leave open what kind of thing has that name, and whether its node was known. */
function isSamePair(a: Ends, b: Ends): boolean {
  if (a === b) return true;
  return (
    a.local.kind === b.local.kind &&
    a.peer.kind === b.peer.kind &&
    a.local.node === b.local.node &&
    a.peer.node === b.peer.node
  );
}
