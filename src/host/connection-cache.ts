import type { ConntrackPair } from "./conntrack-answer.ts";

/** A look-up by both addresses and both ports, by steps: a joined text as a key would cost more than all of them. */
class PairMap<V> {
  readonly #byLocal = new Map<string, Map<string, Map<number, V>>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(pair: ConntrackPair): V | undefined {
    return this.#byLocal.get(pair.localAddress)?.get(pair.peerAddress)?.get(portsKey(pair));
  }

  set(pair: ConntrackPair, value: V): void {
    const byPeer = mapAt(this.#byLocal, pair.localAddress);
    const byPorts = mapAt(byPeer, pair.peerAddress);
    const before = byPorts.size;
    byPorts.set(portsKey(pair), value);
    this.#size += byPorts.size - before;
  }

  delete(pair: ConntrackPair): void {
    const byPorts = this.#byLocal.get(pair.localAddress)?.get(pair.peerAddress);
    if (byPorts?.delete(portsKey(pair)) === true) this.#size--;
  }
}

/**
 * A bounded memory by connection that keeps what was used last. Two generations stand in for a list in order of
 * use: what is used moves to the young one, and when that holds half the bound, the other half is dropped. So
 * the half of the bound that was used last is always kept.
 */
export class ConnectionCache<V> {
  readonly #half: number;
  #young = new PairMap<V>();
  #old = new PairMap<V>();
  #evictions = 0;

  constructor({ maxConnections }: { readonly maxConnections: number }) {
    this.#half = Math.max(1, maxConnections >>> 1);
  }

  /** Connections remembered. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Connections dropped for want of room. */
  get evictions(): number {
    return this.#evictions;
  }

  get(pair: ConntrackPair): V | undefined {
    const young = this.#young.get(pair);
    if (young !== undefined) return young;
    const old = this.#old.get(pair);
    if (old !== undefined) this.set(pair, old);
    return old;
  }

  set(pair: ConntrackPair, value: V): void {
    this.#old.delete(pair);
    this.#young.set(pair, value);
    if (this.#young.size < this.#half) return;
    this.#evictions += this.#old.size;
    this.#old = this.#young;
    this.#young = new PairMap();
  }
}

/** The map at a key, made where there is none. */
function mapAt<K, V>(maps: Map<string, Map<K, V>>, key: string): Map<K, V> {
  const there = maps.get(key);
  if (there !== undefined) return there;
  const made = new Map<K, V>();
  maps.set(key, made);
  return made;
}

/** Within 32 bits, where V8 needs no object for a number. */
function portsKey({ localPort, peerPort }: ConntrackPair): number {
  return (localPort << 16) | peerPort;
}
