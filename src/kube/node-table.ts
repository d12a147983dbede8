import type { NodeRecord } from "../event/cluster.ts";
import { CidrTable } from "./cidr-table.ts";
import type { ClusterRanges } from "./cluster-ranges.ts";
import type { ResourceSink } from "./resource-sink.ts";
import { Roster, type RosterEntry } from "./roster.ts";
import type { SlimNode } from "./slim.ts";
import type { Tombstones } from "./tombstones.ts";

export interface NodeTableOptions {
  readonly tombstones: Tombstones;
  readonly ranges: ClusterRanges;
}

/** Every node that is known, by name and by address. */
export class NodeTable implements ResourceSink<SlimNode> {
  readonly #options: NodeTableOptions;
  readonly #roster = new Roster<NodeEntry>();
  readonly #byName = new Map<string, NodeEntry>();
  /** Most addresses are one node's: a list of it would be 184 bytes. */
  readonly #byAddress = new Map<string, NodeEntry | readonly NodeEntry[]>();
  readonly #byRange = new CidrTable<NodeEntry>();
  /** Undefined: to be found out anew. */
  #haveRanges: boolean | undefined = undefined;

  constructor(options: NodeTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#roster.size;
  }

  byName(name: string): NodeEntry | undefined {
    return this.#byName.get(name);
  }

  /** The node with an address, the last one where it is gone; undefined where several say that they have it. */
  at(address: string): NodeEntry | undefined {
    const entries = this.#byAddress.get(address);
    if (entries === undefined || !isList(entries)) return entries;
    const living = entries.filter((entry) => !entry.removed);
    return living.length === 0 ? entries.at(-1) : living.length === 1 ? living[0] : undefined;
  }

  /** The node whose pods have their addresses from a range with this one. */
  ofRange(address: string): NodeEntry | undefined {
    const entry = this.#byRange.find(address);
    return entry?.removed === false && entry.hasRange ? entry : undefined;
  }

  hasAddress(address: string): boolean {
    return this.#byAddress.has(address);
  }

  /** Whether the range of every node's pods is known. */
  get haveRanges(): boolean {
    if (this.#haveRanges === undefined) {
      const living = [...this.#roster.values()].filter((node) => !node.removed);
      this.#haveRanges = this.#roster.size > 0 && living.every((node) => node.hasRange);
    }
    return this.#haveRanges;
  }

  replaceBegin(): void {
    this.#roster.beginList();
  }

  upsert(slim: SlimNode): void {
    const entry = this.#roster.get(slim.uid) ?? new NodeEntry(slim.uid, slim.name);
    const before = entry.slim;
    this.#haveRanges = undefined;
    entry.update(slim);
    this.#roster.set(entry);
    this.#roster.seen(entry);
    this.#byName.set(entry.name, entry);
    this.#setAddresses(entry, before?.addresses ?? [], slim.addresses);
    this.#setRanges(entry, before?.podCidrs ?? [], slim.podCidrs);
  }

  remove({ uid }: SlimNode, receivedMs: number): void {
    const entry = this.#roster.get(uid);
    if (entry !== undefined && !entry.removed) this.#bury(entry, receivedMs);
  }

  replaceEnd(receivedMs: number): void {
    for (const entry of this.#roster.missing()) this.#bury(entry, receivedMs);
  }

  #bury(entry: NodeEntry, receivedMs: number): void {
    entry.endedMs = receivedMs;
    this.#haveRanges = undefined;
    this.#options.tombstones.add(() => entry.removed && this.#forget(entry), receivedMs);
  }

  #forget(entry: NodeEntry): void {
    this.#roster.delete(entry);
    if (this.#byName.get(entry.name) === entry) this.#byName.delete(entry.name);
    this.#setAddresses(entry, entry.slim?.addresses ?? [], []);
    this.#setRanges(entry, entry.slim?.podCidrs ?? [], []);
  }

  #setRanges(entry: NodeEntry, before: readonly string[], after: readonly string[]): void {
    for (const cidr of after) if (this.#options.ranges.add(cidr)) this.#byRange.set(cidr, entry);
    for (const cidr of before) {
      this.#options.ranges.remove(cidr);
      if (!after.includes(cidr) && this.#byRange.get(cidr) === entry) this.#byRange.delete(cidr);
    }
  }

  #setAddresses(entry: NodeEntry, before: readonly string[], after: readonly string[]): void {
    for (const address of before) {
      this.#setHolders(
        address,
        this.#holders(address).filter((each) => each !== entry),
      );
    }
    for (const address of after) this.#setHolders(address, [...this.#holders(address), entry]);
  }

  #holders(address: string): readonly NodeEntry[] {
    const entries = this.#byAddress.get(address) ?? [];
    return isList(entries) ? entries : [entries];
  }

  #setHolders(address: string, holders: readonly NodeEntry[]): void {
    const [only, ...others] = holders;
    if (only === undefined) this.#byAddress.delete(address);
    else this.#byAddress.set(address, others.length === 0 ? only : holders);
  }
}

function isList(entries: NodeEntry | readonly NodeEntry[]): entries is readonly NodeEntry[] {
  return Array.isArray(entries);
}

class NodeEntry implements NodeRecord, RosterEntry {
  readonly uid: string;
  readonly name: string;
  slim: SlimNode | undefined = undefined;
  endedMs: number | undefined = undefined;
  seenIn = 0;

  constructor(uid: string, name: string) {
    this.uid = uid;
    this.name = name;
  }

  update(slim: SlimNode): void {
    this.slim = slim;
    this.endedMs = undefined;
  }

  get removed(): boolean {
    return this.endedMs !== undefined;
  }

  get zone(): string | undefined {
    return this.slim?.zone;
  }

  get cordoned(): boolean {
    return this.slim?.cordoned ?? false;
  }

  get notReadySinceMs(): number | undefined {
    const seconds = this.slim?.notReadySeconds;
    return seconds === undefined ? undefined : seconds * 1000;
  }

  /** Its pods' addresses are in its podCIDRs, and nowhere else. */
  get hasRange(): boolean {
    return this.slim !== undefined && this.slim.podCidrs.length > 0 && !this.slim.ownRanges;
  }
}
