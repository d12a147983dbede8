import type { PodRecord, ServiceNaming, Workload } from "../event/cluster.ts";
import type { Hold } from "./address-intervals.ts";
import type { RosterEntry } from "./roster.ts";
import type { HostPort, SlimPod } from "./slim.ts";

/** What one field would be wasted on for most pods. */
interface Rarities {
  readonly containers: ReadonlyMap<string, string> | undefined;
  readonly hostPorts: readonly HostPort[];
  readonly configHash: string | undefined;
  readonly terminatingSeconds: number | undefined;
  readonly finishedFloor: number | undefined;
}

/** Values that pods share, given in one copy each. */
export interface SharedParts {
  readonly namespace: string;
  readonly nodeName: string | undefined;
  readonly workload: Workload;
  readonly naming: ServiceNaming | undefined;
}

/** What of a pod changes, where nothing about it is rare. */
export interface PodStand {
  readonly addresses: readonly string[];
  /** Of FLAGS. */
  readonly flags: number;
  readonly startFloor: number;
  readonly readySeconds: number | undefined;
  readonly certainMs: number;
  readonly seenIn: number;
}

const FLAGS = { removed: 1, hostNetwork: 2, ready: 4, endsByItself: 8, pinned: 16 } as const;
/** With one of these a pod is to stay the object that it is. */
const RARE = FLAGS.removed | FLAGS.hostNetwork | FLAGS.pinned;

const NO_PORTS: readonly HostPort[] = [];

/**
 * A pod in memory, and its own hold on the addresses that it had first: a cluster has tens of thousands, so times are
 * whole seconds as the API gives them (small integers are in the object itself, other numbers beside it).
 */
export class PodEntry implements PodRecord, Hold<PodEntry>, RosterEntry {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  nodeName: string | undefined;
  workload: Workload;
  naming: ServiceNaming | undefined;
  seenIn = 0;
  /** What it holds at present or held until its end: one address, or more of them. */
  addresses: string | readonly string[] | undefined = undefined;
  certainMs: number = Number.POSITIVE_INFINITY;
  endedMs: number | undefined = undefined;
  /** Of FLAGS: four fields would be as many words of every pod. */
  #flags = 0;
  #readySeconds: number | undefined = undefined;
  /** Less the slack between clocks: it was not before. */
  #startFloor: number | undefined = undefined;
  #rarities: Rarities | undefined = undefined;

  constructor(uid: string, name: string, shared: SharedParts) {
    this.uid = uid;
    this.name = name;
    this.namespace = shared.namespace;
    this.nodeName = shared.nodeName;
    this.workload = shared.workload;
    this.naming = shared.naming;
  }

  /** The pod that had this stand. */
  static standing(
    uid: string,
    name: string,
    { shared, stand }: { readonly shared: SharedParts; readonly stand: PodStand },
  ): PodEntry {
    const pod = new PodEntry(uid, name, shared);
    pod.addresses = stand.addresses.length > 1 ? stand.addresses : stand.addresses[0];
    pod.#flags = stand.flags;
    pod.#startFloor = stand.startFloor;
    pod.#readySeconds = stand.readySeconds;
    pod.certainMs = stand.certainMs;
    pod.seenIn = stand.seenIn;
    return pod;
  }

  /** Undefined where more than that is to be known of it, or where somebody holds this very object. */
  get stand(): PodStand | undefined {
    const addresses = addressesOf(this);
    const isRare = (this.#flags & RARE) !== 0 || this.#rarities !== undefined || this.endedMs !== undefined;
    if (isRare || addresses.length === 0 || this.#startFloor === undefined) return undefined;
    return {
      addresses,
      flags: this.#flags,
      startFloor: this.#startFloor,
      readySeconds: this.#readySeconds,
      certainMs: this.certainMs,
      seenIn: this.seenIn,
    };
  }

  /** Somebody holds this very object from now on, and is to see what becomes of it. */
  pin(): void {
    this.#flags |= FLAGS.pinned;
  }

  /** Takes over what an object of the API says now; `slackSeconds` is what its clock may differ from this node's. */
  update(slim: SlimPod, shared: SharedParts, slackSeconds: number): void {
    this.nodeName = shared.nodeName;
    this.workload = shared.workload;
    this.naming = shared.naming;
    this.#set(FLAGS.hostNetwork, slim.hostNetwork);
    this.#set(FLAGS.ready, slim.ready);
    this.#set(FLAGS.endsByItself, slim.endsByItself);
    this.#readySeconds = slim.readySeconds;
    this.#startFloor = less(slim.startSeconds, slackSeconds);
    this.#rarities = raritiesOf(slim, less(slim.finishedSeconds, slackSeconds));
  }

  get removed(): boolean {
    return (this.#flags & FLAGS.removed) !== 0;
  }

  set removed(removed: boolean) {
    this.#set(FLAGS.removed, removed);
  }

  get hostNetwork(): boolean {
    return (this.#flags & FLAGS.hostNetwork) !== 0;
  }

  get ready(): boolean {
    return (this.#flags & FLAGS.ready) !== 0;
  }

  get holder(): PodEntry {
    return this;
  }

  get readySinceMs(): number | undefined {
    return milliseconds(this.#readySeconds);
  }

  get terminatingSinceMs(): number | undefined {
    return milliseconds(this.#rarities?.terminatingSeconds);
  }

  get containers(): ReadonlyMap<string, string> | undefined {
    return this.#rarities?.containers;
  }

  get hostPorts(): readonly HostPort[] {
    return this.#rarities?.hostPorts ?? NO_PORTS;
  }

  get configHash(): string | undefined {
    return this.#rarities?.configHash;
  }

  get earliestMs(): number {
    return (this.#startFloor ?? 0) * 1000;
  }

  get lastSureMs(): number {
    return (this.#rarities?.finishedFloor ?? 0) * 1000;
  }

  get releasedMs(): number | undefined {
    return this.endedMs;
  }

  get lasts(): boolean {
    return !this.mayHaveEnded;
  }

  /** Whether it may have let go of its address by now, for all that the API has told yet. */
  get mayHaveEnded(): boolean {
    if (this.endedMs !== undefined || this.terminatingSinceMs !== undefined) return true;
    return (this.#flags & FLAGS.endsByItself) !== 0;
  }

  #set(flag: number, on: boolean): void {
    this.#flags = on ? this.#flags | flag : this.#flags & ~flag;
  }
}

/** The addresses of a pod, which are kept as one text where there is one. */
export function addressesOf({ addresses }: PodEntry): readonly string[] {
  if (addresses === undefined) return [];
  return typeof addresses === "string" ? [addresses] : addresses;
}

function raritiesOf(slim: SlimPod, finishedFloor: number | undefined): Rarities | undefined {
  const { containers, hostPorts, configHash, terminatingSeconds } = slim;
  const some = containers ?? configHash ?? terminatingSeconds ?? finishedFloor;
  if (some === undefined && hostPorts.length === 0) return undefined;
  return { containers, hostPorts, configHash, terminatingSeconds, finishedFloor };
}

function less(seconds: number | undefined, slackSeconds: number): number | undefined {
  return seconds === undefined ? undefined : seconds - slackSeconds;
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
