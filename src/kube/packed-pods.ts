import { formatIpv4, parseIpv4 } from "../event/ip-address.ts";
import { addressHash } from "./packed-endpoints.ts";
import { formatUid, uidWords } from "./packed-uid.ts";
import { growColumns, isSecond, NO_SECOND, type PodColumns } from "./pod-columns.ts";
import { addressesOf, PodEntry, type PodStand, type SharedParts } from "./pod-entry.ts";
import { readName, writeName } from "./short-name.ts";
import { NONE, SlotIndex } from "./slot-index.ts";

/** Addresses remembered as nobody's. */
const MAX_MISSED = 4096;

/**
 * Pods that nobody has asked for, in some 120 bytes each instead of 400. Of a cluster's pods a node ever meets a few:
 * these are taken out, and are objects from then on. Only what most pods have finds room here.
 */
export class PackedPods {
  #columns: PodColumns = growColumns(0, undefined);
  readonly #nodes: (string | undefined)[] = [];
  readonly #groups: (PodGroup | undefined)[] = [];
  /** A list names the pods of a workload one after the other. */
  #lastGroup: PodGroup | undefined;
  /** IPv6 addresses by slot: clusters without them need no room for them. */
  readonly #v6: (string | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #byUid = new SlotIndex((slot) => this.#uidHash(slot));
  /** Twice the slot for its IPv4 address, and one more for the other. */
  readonly #byAddress = new SlotIndex((entry) => this.#addressHash(entry));
  #slots = 0;
  /** Addresses that nobody here has: services and whoever is outside are asked for with each event. */
  readonly #missed = new Set<string>();

  get size(): number {
    return this.#slots - this.#free.length;
  }

  /** Puts a pod in; false where something about it has no room. */
  add(pod: PodEntry): boolean {
    const { stand } = pod;
    const uid = uidWords(pod.uid);
    if (stand === undefined || uid === undefined) return false;
    if (!isSecond(stand.startFloor) || !isSecond(stand.readySeconds ?? 0)) return false;
    const addresses = addressesOf(pod);
    const [v4, v6] = familiesOf(addresses);
    if (addresses.length !== Number(v4 !== undefined) + Number(v6 !== undefined)) return false;
    const slot = this.#free.pop() ?? this.#slots;
    if (slot === this.#columns.flags.length) this.#columns = growColumns(slot, this.#columns);
    if (!writeName(pod.name, pod.workload.name, { names: this.#columns.names, slot })) {
      if (slot < this.#slots) this.#free.push(slot);
      return false;
    }
    this.#slots = Math.max(this.#slots, slot + 1);
    this.#write(slot, stand);
    this.#columns.uids.set(uid, slot * 4);
    this.#columns.v4[slot] = v4 ?? 0;
    if (v6 !== undefined) this.#v6[slot] = v6;
    this.#nodes[slot] = pod.nodeName;
    this.#groups[slot] = this.#groupOf(pod);
    this.#byUid.add(slot);
    for (const entry of this.#entriesOf(slot)) this.#byAddress.add(entry);
    for (const address of addresses) this.#missed.delete(address);
    return true;
  }

  hasAddress(address: string): boolean {
    return this.#slotOf(address) !== NONE;
  }

  /** Takes the pod with an address out. */
  takeAddress(address: string): PodEntry | undefined {
    const slot = this.#slotOf(address);
    return slot === NONE ? undefined : this.#take(slot);
  }

  takeUid(uid: string): PodEntry | undefined {
    const words = this.size === 0 ? undefined : uidWords(uid);
    if (words === undefined) return undefined;
    const { uids } = this.#columns;
    const isSame = (slot: number) => words.every((word, i) => uids[slot * 4 + i] === word);
    for (let cell = this.#byUid.first(hashOf(words)); ; cell = this.#byUid.next(cell)) {
      const slot = this.#byUid.at(cell);
      if (slot === NONE) return undefined;
      if (isSame(slot)) return this.#take(slot);
    }
  }

  /** Takes out what was not seen in a list. */
  takeUnseen(list: number): readonly PodEntry[] {
    const unseen: PodEntry[] = [];
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#groups[slot] !== undefined && this.#columns.seenIn[slot] !== list)
        unseen.push(this.#take(slot));
    }
    return unseen;
  }

  #take(slot: number): PodEntry {
    const pod = this.#read(slot);
    this.#byUid.delete(slot);
    for (const entry of this.#entriesOf(slot)) this.#byAddress.delete(entry);
    this.#nodes[slot] = this.#groups[slot] = undefined;
    if (this.#v6[slot] !== undefined) this.#v6[slot] = undefined;
    this.#free.push(slot);
    return pod;
  }

  #read(slot: number): PodEntry {
    const { uids, names, v4, flags, startFloors, readySeconds, certainMs, seenIn } = this.#columns;
    const group = this.#groups[slot];
    if (group === undefined) throw new RangeError(`Cannot read slot ${slot}: it is free`);
    const ready = readySeconds[slot] ?? NO_SECOND;
    const word = v4[slot] ?? 0;
    const addresses = [word === 0 ? undefined : formatIpv4(word), this.#v6[slot]];
    return PodEntry.standing(formatUid(uids, slot * 4), readName(group.workload.name, { names, slot }), {
      shared: { ...group, nodeName: this.#nodes[slot] },
      stand: {
        addresses: addresses.filter((address) => address !== undefined),
        flags: flags[slot] ?? 0,
        startFloor: startFloors[slot] ?? 0,
        readySeconds: ready === NO_SECOND ? undefined : ready,
        certainMs: certainMs[slot] ?? 0,
        seenIn: seenIn[slot] ?? 0,
      },
    });
  }

  #groupOf({ namespace, workload, naming }: PodEntry): PodGroup {
    const last = this.#lastGroup;
    const isSame = last?.workload === workload && last.naming === naming && last.namespace === namespace;
    if (isSame) return last;
    this.#lastGroup = { namespace, workload, naming };
    return this.#lastGroup;
  }

  #write(slot: number, stand: PodStand): void {
    const columns = this.#columns;
    columns.flags[slot] = stand.flags;
    columns.startFloors[slot] = stand.startFloor;
    columns.readySeconds[slot] = stand.readySeconds ?? NO_SECOND;
    columns.certainMs[slot] = stand.certainMs;
    columns.seenIn[slot] = stand.seenIn;
  }

  #slotOf(address: string): number {
    if (this.#missed.has(address)) return NONE;
    const word = parseIpv4(address);
    const hash = word === undefined ? addressHash(address) : word | 0;
    const { v4 } = this.#columns;
    for (let cell = this.#byAddress.first(hash); ; cell = this.#byAddress.next(cell)) {
      const entry = this.#byAddress.at(cell);
      if (entry === NONE) break;
      const slot = entry >> 1;
      if ((entry & 1) === 1 ? this.#v6[slot] === address : v4[slot] === word) return slot;
    }
    if (this.#missed.size >= MAX_MISSED) this.#missed.clear();
    this.#missed.add(address);
    return NONE;
  }

  #entriesOf(slot: number): readonly number[] {
    const entries = this.#columns.v4[slot] === 0 ? [] : [slot * 2];
    return this.#v6[slot] === undefined ? entries : [...entries, slot * 2 + 1];
  }

  #uidHash(slot: number): number {
    return hashOf(this.#columns.uids.subarray(slot * 4, slot * 4 + 4));
  }

  #addressHash(entry: number): number {
    const slot = entry >> 1;
    return (entry & 1) === 1 ? addressHash(this.#v6[slot] ?? "") : (this.#columns.v4[slot] ?? 0) | 0;
  }
}

/** What the pods of a workload share. */
type PodGroup = Omit<SharedParts, "nodeName">;

/** An address of each family; of more than one the last. */
function familiesOf(addresses: readonly string[]): readonly [number | undefined, string | undefined] {
  let [v4, v6]: [number | undefined, string | undefined] = [undefined, undefined];
  for (const address of addresses) {
    const word = parseIpv4(address);
    if (word === undefined) v6 = address;
    // 0.0.0.0 stands for none.
    else if (word !== 0) v4 = word;
  }
  return [v4, v6];
}

function hashOf(words: ArrayLike<number>): number {
  return ((words[0] ?? 0) ^ (words[1] ?? 0) ^ (words[2] ?? 0) ^ (words[3] ?? 0)) | 0;
}
