import { Backends, type Backing } from "./backends.ts";
import { addressesOf, type PodEntry } from "./pod-entry.ts";
import type { ResourceSink } from "./resource-sink.ts";
import { Roster, type RosterEntry } from "./roster.ts";
import type { SlimEndpoint, SlimEndpointSlice } from "./slim.ts";
import type { Tombstones } from "./tombstones.ts";

export interface EndpointTableOptions {
  readonly tombstones: Tombstones;
  /** The pod of a uid, whose copies of texts are to be used. */
  readonly pod: (uid: string) => PodEntry | undefined;
}

/** Endpoints of services by address, as they are now. */
export class EndpointTable implements ResourceSink<SlimEndpointSlice> {
  readonly #options: EndpointTableOptions;
  readonly #roster = new Roster<Slice>();
  readonly #byAddress = new Map<string, Endpoint | Endpoint[]>();
  readonly #backends: Backends;

  constructor(options: EndpointTableOptions) {
    this.#options = options;
    this.#backends = new Backends(options.tombstones);
  }

  /** Addresses that are some service's endpoint. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** Since when no endpoint of a service, by `namespace/name`, has been ready; undefined where that is not known. */
  noneReadySinceMs(service: string): number | undefined {
    return this.#backends.noneReadySinceMs(service);
  }

  /** Uids of the pods with this endpoint; most often one. */
  podUids(address: string, port: number): readonly string[] {
    return this.#distinct(address, port, ({ podUid }) => podUid);
  }

  /** `namespace/name` of the services with this endpoint. */
  services(address: string, port: number): readonly string[] {
    return this.#distinct(address, port, ({ slice }) => slice.backing.service);
  }

  replaceBegin(): void {
    this.#roster.beginList();
  }

  upsert(slim: SlimEndpointSlice, receivedMs: number): void {
    const { uid, namespace, changedSeconds } = slim;
    const known = this.#roster.get(uid);
    const backing = this.#backends.of(`${namespace}/${slim.service}`);
    const slice = new Slice(uid, backing, slim);
    slice.endpoints = slim.endpoints.map((endpoint) => this.#link(slice, endpoint));
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

  #distinct(
    address: string,
    port: number,
    of: (endpoint: Endpoint) => string | undefined,
  ): readonly string[] {
    const known = this.#byAddress.get(address);
    if (known === undefined) return [];
    const found = new Set<string>();
    for (const endpoint of Array.isArray(known) ? known : [known]) {
      if (endpoint.slice.ports?.includes(port) === false) continue;
      const value = of(endpoint);
      if (value !== undefined) found.add(value);
    }
    return [...found];
  }

  #drop(slice: Slice, receivedMs: number): void {
    this.#roster.delete(slice);
    this.#leave(slice, { isCounted: true, receivedMs });
  }

  #leave(slice: Slice, { isCounted, receivedMs }: { isCounted: boolean; receivedMs: number }): void {
    for (const endpoint of slice.endpoints) this.#unlink(endpoint);
    if (!isCounted) return;
    const change = { slices: -1, ready: -slice.ready, changedSeconds: undefined, receivedMs };
    this.#backends.change(slice.backing, change);
  }

  #link(slice: Slice, { address, podUid }: SlimEndpoint): Endpoint {
    const pod = podUid === undefined ? undefined : this.#options.pod(podUid);
    const text = pod === undefined ? undefined : addressesOf(pod).find((each) => each === address);
    const endpoint: Endpoint = { slice, address: text ?? address, podUid: pod?.uid ?? podUid };
    const known = this.#byAddress.get(address);
    if (known === undefined) this.#byAddress.set(endpoint.address, endpoint);
    else if (Array.isArray(known)) known.push(endpoint);
    else this.#byAddress.set(address, [known, endpoint]);
    return endpoint;
  }

  #unlink(endpoint: Endpoint): void {
    const { address } = endpoint;
    const known = this.#byAddress.get(address);
    if (known === endpoint) this.#byAddress.delete(address);
    if (!Array.isArray(known)) return;
    const [only, ...others] = known.filter((each) => each !== endpoint);
    if (only === undefined) this.#byAddress.delete(address);
    else this.#byAddress.set(address, others.length === 0 ? only : [only, ...others]);
  }
}

interface Endpoint {
  readonly slice: Slice;
  readonly address: string;
  readonly podUid: string | undefined;
}

class Slice implements RosterEntry {
  readonly uid: string;
  readonly backing: Backing;
  /** Undefined stands for every port. */
  readonly ports: readonly number[] | undefined;
  readonly ready: number;
  endpoints: readonly Endpoint[] = [];
  seenIn = 0;

  constructor(uid: string, backing: Backing, { ports, endpoints }: SlimEndpointSlice) {
    this.uid = uid;
    this.backing = backing;
    this.ports = ports;
    this.ready = endpoints.filter(({ ready }) => ready).length;
  }

  get removed(): boolean {
    return false;
  }
}
