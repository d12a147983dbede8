import { AddressIntervals, AMBIGUOUS } from "./address-intervals.ts";
import type { Backing } from "./backends.ts";
import type { ClusterRanges } from "./cluster-ranges.ts";
import { PartialHold } from "./partial-hold.ts";
import type { ResourceSink } from "./resource-sink.ts";
import { Roster } from "./roster.ts";
import { NONE, ServiceEntry } from "./service-entry.ts";
import type { SlimService } from "./slim.ts";
import type { Tombstones } from "./tombstones.ts";

export interface ServiceTableOptions {
  readonly tombstones: Tombstones;
  /** Where addresses are noted that services share: they are the cluster's with any port. */
  readonly ranges: ClusterRanges;
  readonly clockSlackSeconds: number;
  /** What stands behind a service, by `namespace/name`. */
  readonly backingOf: (service: string) => Backing | undefined;
}

/** Every service that is known, by name and by what it is addressed with. */
export class ServiceTable implements ResourceSink<SlimService> {
  readonly #options: ServiceTableOptions;
  readonly #roster = new Roster<ServiceEntry>();
  readonly #byName = new Map<string, ServiceEntry>();
  /** By ClusterIP; by address and port where an address may be shared; by NodePort. */
  readonly #holds = new AddressIntervals<ServiceEntry>();

  constructor(options: ServiceTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#roster.size;
  }

  /** The service of a name that is there now. */
  byName(service: string): ServiceEntry | undefined {
    return this.#byName.get(service);
  }

  hasClusterAddress(address: string): boolean {
    return this.#holds.has(address);
  }

  /** The service that had a ClusterIP, or an external address with this port; undefined too while two may have had it. */
  at(address: string, port: number, unixMs: number): ServiceEntry | undefined {
    const service = this.#held(address, unixMs);
    if (service !== undefined || !this.#options.ranges.has(address)) return service;
    return this.#held(sharedKey(address, port), unixMs);
  }

  /** The service that had a NodePort. */
  atNodePort(port: number, unixMs: number): ServiceEntry | undefined {
    return this.#held(nodePortKey(port), unixMs);
  }

  replaceBegin(): void {
    this.#roster.beginList();
  }

  upsert(slim: SlimService, receivedMs: number): void {
    const entry = this.#roster.get(slim.uid) ?? new ServiceEntry(slim, this.#options.backingOf);
    entry.removed = false;
    entry.endedMs = undefined;
    this.#roster.set(entry);
    this.#roster.seen(entry);
    this.#byName.set(entry.fullName, entry);
    this.#follow(entry, slim, receivedMs);
    this.#share(entry, slim.sharedAddresses);
  }

  remove(slim: SlimService, receivedMs: number): void {
    const entry = this.#roster.get(slim.uid);
    if (entry !== undefined && !entry.removed) this.#bury(entry, receivedMs);
  }

  replaceEnd(receivedMs: number): void {
    for (const entry of this.#roster.missing()) this.#bury(entry, receivedMs);
  }

  #held(key: string, unixMs: number): ServiceEntry | undefined {
    const hold = this.#holds.at(key, unixMs);
    if (hold === undefined || hold === AMBIGUOUS) return undefined;
    // One that had it before may have had to make room.
    return unixMs < hold.certainMs && this.#options.tombstones.areShort ? undefined : hold.holder;
  }

  #follow(entry: ServiceEntry, slim: SlimService, receivedMs: number): void {
    const keys = keysOf(slim);
    const slackMs = this.#options.clockSlackSeconds * 1000;
    const createdMs = slim.createdSeconds === undefined ? undefined : slim.createdSeconds * 1000;
    const earliestMs = createdMs === undefined ? 0 : createdMs - slackMs;
    const before = entry.keys;
    for (const key of before) if (!keys.includes(key)) this.#close(entry, key, receivedMs);
    for (const key of keys) {
      if (before.includes(key)) continue;
      // Only what it was made with it has had since then, and only a ClusterIP is sure to be of that kind.
      const madeWith = before.length === 0 && createdMs !== undefined && slim.clusterAddresses.includes(key);
      const certainMs = madeWith ? Math.min(receivedMs, createdMs + 1000 + slackMs) : receivedMs;
      const times = { earliestMs, certainMs, lastSureMs: 0 };
      this.#holds.add(key, new PartialHold({ holder: entry, ...times }, undefined));
    }
    entry.keys = keys;
  }

  #close(entry: ServiceEntry, key: string, receivedMs: number): void {
    const hold = this.#holds.holdOf(key, entry);
    if (hold === undefined) return;
    const closed = PartialHold.closed(hold, 0, receivedMs);
    this.#holds.replace(key, hold, closed);
    this.#options.tombstones.add(() => this.#holds.delete(key, closed), receivedMs);
  }

  #share(entry: ServiceEntry, addresses: readonly string[]): void {
    const { ranges } = this.#options;
    for (const address of addresses) ranges.add(address);
    for (const address of entry.sharedAddresses) ranges.remove(address);
    entry.sharedAddresses = addresses.length === 0 ? NONE : addresses;
  }

  #bury(entry: ServiceEntry, receivedMs: number): void {
    entry.removed = true;
    entry.endedMs = receivedMs;
    if (this.#byName.get(entry.fullName) === entry) this.#byName.delete(entry.fullName);
    this.#options.tombstones.add(() => entry.removed && this.#forget(entry), receivedMs);
  }

  #forget(entry: ServiceEntry): void {
    for (const key of entry.keys) {
      const hold = this.#holds.holdOf(key, entry);
      if (hold !== undefined) this.#holds.delete(key, hold);
    }
    this.#share(entry, []);
    this.#roster.delete(entry);
  }
}

function keysOf({ clusterAddresses, sharedAddresses, ports, nodePorts }: SlimService): readonly string[] {
  const shared = sharedAddresses.flatMap((address) => ports.map((port) => sharedKey(address, port)));
  return [...new Set([...clusterAddresses, ...shared, ...nodePorts.map(nodePortKey)])];
}

function sharedKey(address: string, port: number): string {
  return `${address} ${port}`;
}

function nodePortKey(port: number): string {
  return `node ${port}`;
}
