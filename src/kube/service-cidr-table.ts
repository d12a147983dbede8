import type { ClusterRanges } from "./cluster-ranges.ts";
import type { ResourceSink } from "./resource-sink.ts";
import { Roster, type RosterEntry } from "./roster.ts";
import type { SlimServiceCidr } from "./slim.ts";

/** Keeps the ranges of the cluster's services in a set of ranges. */
export class ServiceCidrTable implements ResourceSink<SlimServiceCidr> {
  readonly #ranges: ClusterRanges;
  readonly #roster = new Roster<Entry>();

  constructor(ranges: ClusterRanges) {
    this.#ranges = ranges;
  }

  replaceBegin(): void {
    this.#roster.beginList();
  }

  upsert({ uid, cidrs }: SlimServiceCidr): void {
    const known = this.#roster.get(uid);
    const entry: Entry = { uid, cidrs, seenIn: 0, removed: false };
    for (const cidr of cidrs) this.#ranges.add(cidr);
    for (const cidr of known?.cidrs ?? []) this.#ranges.remove(cidr);
    this.#roster.set(entry);
    this.#roster.seen(entry);
  }

  remove({ uid }: SlimServiceCidr): void {
    const entry = this.#roster.get(uid);
    if (entry !== undefined) this.#drop(entry);
  }

  replaceEnd(): void {
    for (const entry of this.#roster.missing()) this.#drop(entry);
  }

  #drop(entry: Entry): void {
    this.#roster.delete(entry);
    for (const cidr of entry.cidrs) this.#ranges.remove(cidr);
  }
}

interface Entry extends RosterEntry {
  readonly cidrs: readonly string[];
}
