import type { ResourceSink } from "./resource-sink.ts";

/** What an address may be in a cluster; one that is nothing of these is nobody's. */
export const ROLE = {
  /** Of a pod, or of a node with a pod on its network. */
  pod: 1,
  node: 2,
  service: 4,
  /** In a range of the cluster, or shared by services. */
  range: 8,
} as const;

/** Addresses whose roles are kept. */
const MAX = 4096;

/** Remembers what an address may be until anything at all changes: each event asks several times of the same few. */
export class AddressRoles {
  readonly #find: (address: string) => number;
  readonly #known = new Map<string, number>();
  #lastAddress: string | undefined;
  #lastRoles = 0;

  constructor(find: (address: string) => number) {
    this.#find = find;
  }

  /** Of ROLE, added up. */
  of(address: string): number {
    if (address === this.#lastAddress) return this.#lastRoles;
    const roles = this.#known.get(address) ?? this.#note(address);
    this.#lastAddress = address;
    this.#lastRoles = roles;
    return roles;
  }

  /** Forgets all. */
  clear(): void {
    this.#lastAddress = undefined;
    if (this.#known.size > 0) this.#known.clear();
  }

  /** The sink, with all forgotten at each change. */
  clearedBy<T>(sink: ResourceSink<T>): ResourceSink<T> {
    return {
      replaceBegin: () => sink.replaceBegin(),
      upsert: (item, receivedMs) => {
        sink.upsert(item, receivedMs);
        this.clear();
      },
      remove: (item, receivedMs) => {
        sink.remove(item, receivedMs);
        this.clear();
      },
      replaceEnd: (receivedMs) => {
        sink.replaceEnd(receivedMs);
        this.clear();
      },
    };
  }

  #note(address: string): number {
    const roles = this.#find(address);
    if (this.#known.size >= MAX) this.#known.clear();
    this.#known.set(address, roles);
    return roles;
  }
}
