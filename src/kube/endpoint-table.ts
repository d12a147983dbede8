import { Backends, type Backing } from "./backends.ts";
import { copyText, Interner } from "./interner.ts";
import { addressHash, PackedEndpoints } from "./packed-endpoints.ts";
import type { ResourceSink } from "./resource-sink.ts";
import { Roster, type RosterEntry } from "./roster.ts";
import type { SlimEndpointSlice } from "./slim.ts";
import type { Tombstones } from "./tombstones.ts";

/** Endpoints of services by address, as they are now. */
export class EndpointTable implements ResourceSink<SlimEndpointSlice> {
  readonly #roster = new Roster<Slice>();
  /** By the hash of an address: the slices that may have it, most often one. */
  readonly #byHash = new Map<number, Slice | readonly Slice[]>();
  readonly #ports = new Interner<readonly number[]>();
  readonly #backends: Backends;

  constructor(tombstones: Tombstones) {
    this.#backends = new Backends(tombstones);
  }

  /** Addresses that are some service's endpoint, but for a few whose hashes are the same. */
  get size(): number {
    return this.#byHash.size;
  }

  /** What stands behind a service, by `namespace/name`, until that is forgotten. */
  backing(service: string): Backing | undefined {
    return this.#backends.find(service);
  }

  /** Uids of the pods with this endpoint; most often one. */
  podUids(address: string, port: number): readonly string[] {
    const found = this.#with(address, port).flatMap(({ endpoints }) => endpoints.podUids(address));
    return [...new Set(found)];
  }

  /** `namespace/name` of the services with this endpoint. */
  services(address: string, port: number): readonly string[] {
    return [...new Set(this.#with(address, port).map(({ backing }) => backing.service))];
  }

  replaceBegin(): void {
    this.#roster.beginList();
  }

  upsert(slim: SlimEndpointSlice, receivedMs: number): void {
    const { uid, namespace, changedSeconds } = slim;
    const known = this.#roster.get(uid);
    const backing = this.#backends.of(`${namespace}/${slim.service}`);
    const ports = slim.ports && this.#ports.get(slim.ports.join(), () => slim.ports ?? []);
    const slice = new Slice(known?.uid ?? copyText(uid), { backing, ports, slim });
    for (const hash of slice.hashes()) this.#link(hash, slice);
    this.#roster.set(slice);
    this.#roster.seen(slice);
    const isSame = known?.backing === backing;
    const slices = isSame ? 0 : 1;
    const ready = slice.ready - (isSame ? known.ready : 0);
    this.#backends.change(backing, { slices, ready, changedSeconds, receivedMs });
    if (known !== undefined) this.#leave(known, { isCounted: !isSame, receivedMs });
  }

  remove({ uid }: SlimEndpointSlice, receivedMs: number): void {
    const slice = this.#roster.get(uid);
    if (slice !== undefined) this.#drop(slice, receivedMs);
  }

  replaceEnd(receivedMs: number): void {
    for (const slice of this.#roster.missing()) this.#drop(slice, receivedMs);
  }

  #with(address: string, port: number): readonly Slice[] {
    const known = this.#byHash.get(addressHash(address));
    if (known === undefined) return [];
    const slices = isSlice(known) ? [known] : known;
    return slices.filter(({ ports, endpoints }) => ports?.includes(port) !== false && endpoints.has(address));
  }

  #drop(slice: Slice, receivedMs: number): void {
    this.#roster.delete(slice);
    this.#leave(slice, { isCounted: true, receivedMs });
  }

  #leave(slice: Slice, { isCounted, receivedMs }: { isCounted: boolean; receivedMs: number }): void {
    for (const hash of slice.hashes()) this.#unlink(hash, slice);
    if (!isCounted) return;
    const change = { slices: -1, ready: -slice.ready, changedSeconds: undefined, receivedMs };
    this.#backends.change(slice.backing, change);
  }

  #link(hash: number, slice: Slice): void {
    const known = this.#byHash.get(hash);
    if (known === undefined) this.#byHash.set(hash, slice);
    else this.#byHash.set(hash, isSlice(known) ? [known, slice] : [...known, slice]);
  }

  #unlink(hash: number, slice: Slice): void {
    const known = this.#byHash.get(hash);
    const left = known === undefined || isSlice(known) ? [] : known.filter((each) => each !== slice);
    const [only, ...others] = left;
    if (only === undefined) this.#byHash.delete(hash);
    else this.#byHash.set(hash, others.length === 0 ? only : left);
  }
}

interface SliceParts {
  readonly backing: Backing;
  readonly ports: readonly number[] | undefined;
  readonly slim: SlimEndpointSlice;
}

class Slice implements RosterEntry {
  readonly uid: string;
  readonly backing: Backing;
  /** Undefined stands for every port. */
  readonly ports: readonly number[] | undefined;
  readonly ready: number;
  readonly endpoints: PackedEndpoints;
  seenIn = 0;

  constructor(uid: string, { backing, ports, slim }: SliceParts) {
    this.uid = uid;
    this.backing = backing;
    this.ports = ports;
    this.ready = slim.endpoints.filter(({ ready }) => ready).length;
    this.endpoints = new PackedEndpoints(slim.endpoints);
  }

  get removed(): boolean {
    return false;
  }

  hashes(): ReadonlySet<number> {
    return new Set(this.endpoints.addresses().map(addressHash));
  }
}

function isSlice(known: Slice | readonly Slice[]): known is Slice {
  return known instanceof Slice;
}
