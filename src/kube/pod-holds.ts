import { AddressIntervals, type AMBIGUOUS, type Hold } from "./address-intervals.ts";
import { PartialHold } from "./partial-hold.ts";
import { addressesOf, type PodEntry } from "./pod-entry.ts";
import type { SlimPod } from "./slim.ts";
import type { Tombstones } from "./tombstones.ts";

/** What a pod is seen with at a time. */
export interface Sight {
  readonly slim: SlimPod;
  readonly receivedMs: number;
  readonly slackSeconds: number;
  /** The pod's `lastSureMs` before it was changed by this sight. */
  readonly lastSureMs: number;
}

/** A kernel answers for a pod's sockets until its network is gone, after its last container; and clocks differ. */
export const LAST_WORD_MS = 3_000;

/** Which pods hold which addresses and ports of nodes. */
export class PodHolds {
  readonly #tombstones: Tombstones;
  readonly #addresses = new AddressIntervals<PodEntry>();
  readonly #hostPorts = new AddressIntervals<PodEntry>();
  /** Addresses of pods on their node's network, which are the node's, by how many such pods tell them. */
  readonly #nodeAddresses = new Map<string, number>();

  constructor(tombstones: Tombstones) {
    this.#tombstones = tombstones;
  }

  /** Whether it is a pod's, or that of a node with a pod on its network. */
  hasAddress(address: string): boolean {
    return this.#addresses.has(address) || this.#nodeAddresses.has(address);
  }

  at(address: string, unixMs: number): Hold<PodEntry> | typeof AMBIGUOUS | undefined {
    return this.#addresses.at(address, unixMs);
  }

  answering(address: string, unixMs: number): Hold<PodEntry> | typeof AMBIGUOUS | undefined {
    return this.#addresses.answering(address, unixMs, LAST_WORD_MS);
  }

  isNewest(address: string, hold: Hold<PodEntry>): boolean {
    return this.#addresses.isNewest(address, hold);
  }

  /** The pod behind a port of a node, by the node's name or by one address of it. */
  hostPort(
    port: number,
    nodeOrAddress: string,
    unixMs: number,
  ): Hold<PodEntry> | typeof AMBIGUOUS | undefined {
    if (this.#hostPorts.size === 0) return undefined;
    return this.#hostPorts.at(`${port} ${nodeOrAddress}`, unixMs);
  }

  /** Brings a pod's holds in line with what it is seen with. */
  follow(pod: PodEntry, sight: Sight): void {
    const { slim, receivedMs } = sight;
    if (slim.addresses.length === 0 && pod.addresses === undefined) return;
    const { endedMs } = pod;
    if (endedMs !== undefined) {
      // What it holds stays as it was; what it held long ago, as at the first list, is of no use.
      const isStale = receivedMs - endedMs >= this.#tombstones.bounds.keepMs;
      if (isStale || pod.addresses !== undefined) return;
    }
    const isFirst = pod.certainMs === Number.POSITIVE_INFINITY;
    if (isFirst) {
      pod.certainMs = certainMs(sight, endedMs !== undefined);
      for (const key of hostPortKeys(pod)) this.#hostPorts.add(key, pod);
    }
    if (pod.hostNetwork) this.#tellNode(pod, slim.addresses);
    else this.#change(pod, sight, isFirst);
  }

  /** Whether a pod has held its addresses from the first, and nobody else before or after. */
  isOnly(pod: PodEntry): boolean {
    return addressesOf(pod).every((address) => this.#addresses.isOnly(address, pod));
  }

  /** Takes back the holds of a pod of which `isOnly` was true. */
  restore(pod: PodEntry): void {
    for (const address of addressesOf(pod)) this.#addresses.add(address, pod);
  }

  /** Finds the place of a pod among those that had its addresses and ports anew, now that it does not last any more. */
  replace(pod: PodEntry): void {
    if (!pod.hostNetwork) for (const address of addressesOf(pod)) this.#addresses.reorder(address, pod);
    for (const key of hostPortKeys(pod)) this.#hostPorts.reorder(key, pod);
  }

  /** Drops every hold that a pod has. */
  drop(pod: PodEntry): void {
    if (pod.hostNetwork) this.#tellNode(pod, []);
    for (const address of addressesOf(pod)) {
      const hold = this.#addresses.holdOf(address, pod);
      if (hold !== undefined) this.#addresses.delete(address, hold);
    }
    pod.addresses = undefined;
    for (const key of hostPortKeys(pod)) this.#hostPorts.delete(key, pod);
  }

  #change(pod: PodEntry, { slim, receivedMs, lastSureMs }: Sight, isFirst: boolean): void {
    const current = addressesOf(pod);
    const lost = current.filter((address) => !slim.addresses.includes(address));
    const gained = slim.addresses.filter((address) => !current.includes(address));
    if (lost.length === 0 && gained.length === 0) return;
    for (const address of lost) this.#close(address, pod, { lastSureMs, receivedMs });
    for (const address of gained) {
      this.#addresses.add(address, isFirst ? pod : PartialHold.later(pod, pod.earliestMs, receivedMs));
    }
    setAddresses(pod, slim.addresses);
  }

  #tellNode(pod: PodEntry, addresses: readonly string[]): void {
    const counts = this.#nodeAddresses;
    for (const address of addresses) counts.set(address, (counts.get(address) ?? 0) + 1);
    for (const address of addressesOf(pod)) {
      const left = (counts.get(address) ?? 0) - 1;
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    }
    setAddresses(pod, addresses);
  }

  #close(address: string, pod: PodEntry, at: Pick<Sight, "lastSureMs" | "receivedMs">): void {
    const hold = this.#addresses.holdOf(address, pod);
    if (hold === undefined) return;
    const closed = PartialHold.closed(hold, at.lastSureMs, at.receivedMs);
    this.#addresses.replace(address, hold, closed);
    this.#tombstones.add(() => this.#addresses.delete(address, closed), at.receivedMs);
  }
}

function setAddresses(pod: PodEntry, addresses: readonly string[]): void {
  pod.addresses = addresses.length > 1 ? addresses : addresses[0];
}

/**
 * By when a pod certainly had what it is seen with: by now, or by the end of the second in which its sandbox had a
 * network, as far as its clock can be trusted; one that is over had it while its containers ran.
 */
function certainMs({ slim, receivedMs, slackSeconds }: Sight, isOver: boolean): number {
  const seconds = slim.networkSeconds ?? (isOver ? slim.finishedSeconds : undefined);
  return seconds === undefined ? receivedMs : Math.min(receivedMs, (seconds + 1 + slackSeconds) * 1000);
}

function hostPortKeys({ hostPorts, nodeName }: PodEntry): readonly string[] {
  if (hostPorts.length === 0 || nodeName === undefined) return [];
  return hostPorts.map(({ port, address }) => `${port} ${address ?? nodeName}`);
}
