import { Backends, type Backing } from "./backends.ts";
import { HashIndex } from "./hash-index.ts";
import { copyText, Interner } from "./interner.ts";
import { addressHash, PackedEndpoints } from "./packed-endpoints.ts";
import type { ResourceSink } from "./resource-sink.ts";
import { Roster, type RosterEntry } from "./roster.ts";
import type { SlimEndpointSlice } from "./slim.ts";
import type { Tombstones } from "./tombstones.ts";

/** Endpoints of services by address, as they are now. */
export class EndpointTable implements ResourceSink<SlimEndpointSlice> {
  readonly #roster = new Roster<Slice>();
  /** By slot, and the slots of those that are gone. */
  readonly #slices: (Slice | undefined)[] = [];
  readonly #free: number[] = [];
  /** Slots by the hash of an address. */
  readonly #byHash = new HashIndex((slot) => this.#slices[slot]?.endpoints.hashes() ?? NO_HASHES);
  readonly #ports = new Interner<readonly number[]>();
  readonly #backends: Backends;

  /** `nameOf` gives the name of a service that is known as it is kept there. */
  constructor(tombstones: Tombstones, nameOf: (service: string) => string | undefined) {
    this.#backends = new Backends(tombstones, nameOf);
  }

  /** Addresses of endpoints, each as often as there are slices with it; but for a few whose hashes are the same. */
  get size(): number {
    return this.#byHash.count;
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
    this.#link(slice);
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
    const slices = this.#byHash.candidates(addressHash(address)).map((slot) => this.#slices[slot]);
    return slices
      .filter((slice) => slice !== undefined)
      .filter(({ ports, endpoints }) => ports?.includes(port) !== false && endpoints.has(address));
  }

  #drop(slice: Slice, receivedMs: number): void {
    this.#roster.delete(slice);
    this.#leave(slice, { isCounted: true, receivedMs });
  }

  #leave(slice: Slice, { isCounted, receivedMs }: { isCounted: boolean; receivedMs: number }): void {
    this.#unlink(slice);
    if (!isCounted) return;
    const change = { slices: -1, ready: -slice.ready, changedSeconds: undefined, receivedMs };
    this.#backends.change(slice.backing, change);
  }

  #link(slice: Slice): void {
    slice.slot = this.#free.pop() ?? this.#slices.length;
    this.#slices[slice.slot] = slice;
    this.#byHash.add(slice.slot);
  }

  #unlink({ slot }: Slice): void {
    this.#byHash.delete(slot);
    this.#slices[slot] = undefined;
    this.#free.push(slot);
  }
}

const NO_HASHES: ReadonlySet<number> = new Set();

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
  slot = 0;

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
}
