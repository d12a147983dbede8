import type { EndName, Ends } from "../event/end-name.ts";

/** Bounds the memory: pairs of the younger of two generations. */
const MAX_PAIRS = 4096;

/** What stands for an end: its pod or service, which are the same objects for life, or its name. */
type EndKey = object | string;

interface Kept<T> {
  readonly ends: Ends;
  readonly value: T;
}

type ByLocal<T> = Map<EndKey, Map<EndKey, Kept<T>>>;

/** Remembers what is made of two ends for all connections between them, without building a key. */
export class Pairs<T> {
  readonly #make: (ends: Ends) => T;
  /** When the younger is full, it takes the older one's place. */
  #young: ByLocal<T> = new Map();
  #old: ByLocal<T> = new Map();
  #size = 0;

  constructor(make: (ends: Ends) => T) {
    this.#make = make;
  }

  get(ends: Ends): T {
    const local = keyOf(ends.local);
    const peer = keyOf(ends.peer);
    const young = this.#young.get(local)?.get(peer);
    if (young !== undefined && isSamePair(young.ends, ends)) return young.value;
    const old = this.#old.get(local)?.get(peer);
    const value = old !== undefined && isSamePair(old.ends, ends) ? old.value : this.#make(ends);
    if (young === undefined) this.#makeRoom();
    const byPeer = this.#young.get(local) ?? new Map<EndKey, Kept<T>>();
    this.#young.set(local, byPeer.set(peer, { ends, value }));
    return value;
  }

  clear(): void {
    this.#young = new Map();
    this.#old = new Map();
    this.#size = 0;
  }

  #makeRoom(): void {
    if (this.#size >= MAX_PAIRS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#size = 0;
    }
    this.#size++;
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
