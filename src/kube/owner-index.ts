import type { NodeRecord, PodRecord, ServiceRecord } from "../event/cluster.ts";
import { AMBIGUOUS } from "./address-intervals.ts";
import { AddressRoles, ROLE } from "./address-roles.ts";
import { CidrTable } from "./cidr-table.ts";
import { ClusterRanges } from "./cluster-ranges.ts";
import { EndpointTable } from "./endpoint-table.ts";
import { NodeTable } from "./node-table.ts";
import { PodTable } from "./pod-table.ts";
import type { ResourceSink } from "./resource-sink.ts";
import { ServiceCidrTable } from "./service-cidr-table.ts";
import { ServiceTable } from "./service-table.ts";
import type { SlimEndpointSlice, SlimNode, SlimPod, SlimService, SlimServiceCidr } from "./slim.ts";
import { DEFAULT_TOMBSTONES, type TombstoneBounds, Tombstones } from "./tombstones.ts";

/** How far the lists and watches that fill an index have come. */
export interface SyncState {
  /** Every list that was asked for is in, and no watch is behind. */
  readonly complete: boolean;
  /** What is not known yet may still come: the first lists are not in, or a watch is behind. */
  readonly pending: boolean;
  /** Pods are followed at this moment: whoever takes an address is told of. */
  readonly followsPods: boolean;
}

export interface OwnerIndexOptions {
  /** The node whose kernel tells the times of events; its pods' times need no slack. */
  readonly ownNode?: string | undefined;
  /** Every pod of the cluster is told of, not the own node's alone. */
  readonly wholeCluster: boolean;
  readonly sync: SyncState;
  readonly tombstones?: TombstoneBounds;
  /** What clocks of the cluster's machines may differ, in whole seconds. */
  readonly clockSlackSeconds?: number;
  /** How long after a pod's first packet its kubelet may tell of its address, in ms. */
  readonly statusLagMs?: number;
  /** Names of ranges outside, by range. */
  readonly cidrNames?: Readonly<Record<string, string>>;
  /** Ranges that are the cluster's, beside what its nodes and ServiceCIDRs say. */
  readonly clusterRanges?: readonly string[];
}

/** What an index holds, and what its bounds cost. */
export interface OwnerIndexCounts {
  readonly pods: number;
  readonly services: number;
  readonly nodes: number;
  readonly endpointAddresses: number;
  readonly tombstones: number;
  /** Tombstones that were given up before their time. */
  readonly tombstonesDropped: number;
}

const DEFAULT_SLACK_SECONDS = 1;
/** A kubelet looks at its containers every second (PLEG), and then tells. */
const DEFAULT_STATUS_LAG_MS = 1800;

type Held = { readonly kind: "held" | "tombstone"; readonly pod: PodRecord };
type Ambiguous = { readonly kind: "ambiguous" };

/**
 * What the cluster knows, at a time: filled from the API through its sinks, asked with the times of events. An address
 * goes to whom it certainly belonged (AddressIntervals says when that is so), to a pod that is gone while nobody is
 * known to have it, and to nobody while a pod on the same node may have it unannounced.
 */
export class OwnerIndex {
  readonly #options: OwnerIndexOptions;
  readonly #tombstones: Tombstones;
  readonly #ranges = new ClusterRanges();
  readonly #names = new CidrTable<string>();
  readonly #pods: PodTable;
  readonly #services: ServiceTable;
  readonly #endpoints: EndpointTable;
  readonly #nodes: NodeTable;
  readonly #roles = new AddressRoles((address) => this.#rolesOf(address));
  readonly pods: ResourceSink<SlimPod>;
  readonly services: ResourceSink<SlimService>;
  readonly endpointSlices: ResourceSink<SlimEndpointSlice>;
  readonly nodes: ResourceSink<SlimNode>;
  readonly serviceCidrs: ResourceSink<SlimServiceCidr>;

  /** Throws RangeError for a range of the options that is none. */
  constructor(options: OwnerIndexOptions) {
    const { clockSlackSeconds = DEFAULT_SLACK_SECONDS, statusLagMs = DEFAULT_STATUS_LAG_MS } = options;
    const tombstones = new Tombstones(options.tombstones ?? DEFAULT_TOMBSTONES);
    const { ownNode } = options;
    this.#options = options;
    this.#tombstones = tombstones;
    this.#pods = new PodTable({ tombstones, ownNode, clockSlackSeconds, statusLagMs });
    this.#endpoints = new EndpointTable(tombstones, (service) => this.#services.byName(service)?.fullName);
    const backingOf = (service: string) => this.#endpoints.backing(service);
    const ranges = this.#ranges;
    this.#services = new ServiceTable({ tombstones, ranges, clockSlackSeconds, backingOf });
    this.#nodes = new NodeTable({ tombstones, ranges });
    const roles = this.#roles;
    this.pods = roles.clearedBy(this.#pods);
    this.services = roles.clearedBy(this.#services);
    // What they bury may make room among the others' tombstones.
    this.endpointSlices = roles.clearedBy(this.#endpoints);
    this.nodes = roles.clearedBy(this.#nodes);
    this.serviceCidrs = roles.clearedBy(new ServiceCidrTable(ranges));
    for (const [cidr, name] of Object.entries(options.cidrNames ?? {})) this.#names.set(cidr, name);
    for (const cidr of options.clusterRanges ?? []) {
      if (!this.#ranges.add(cidr)) throw new RangeError(`Cannot read cluster range "${cidr}": it is no CIDR`);
    }
  }

  /**
   * To be called a few times a second, or after a rest that was meant: tells the time, and forgets what has been gone long
   * enough, a bounded number.
   */
  expire(nowMs: number, restedMs = 0): void {
    this.#pods.clock(nowMs, restedMs);
    this.#tombstones.expire(nowMs);
    this.#roles.clear();
  }

  counts(): OwnerIndexCounts {
    return {
      pods: this.#pods.size,
      services: this.#services.size,
      nodes: this.#nodes.size,
      endpointAddresses: this.#endpoints.size,
      tombstones: this.#tombstones.count,
      tombstonesDropped: this.#tombstones.dropped,
    };
  }

  podByUid(uid: string): PodRecord | undefined {
    return this.#pods.byUid(uid);
  }

  /** Pods of the own node that are not over. */
  ownPods(): Iterable<PodRecord> {
    return this.#pods.own();
  }

  podAt(address: string, unixMs: number): Held | Ambiguous | undefined {
    const hold = this.#pods.at(address, unixMs);
    if (hold === undefined) return undefined;
    if (hold === AMBIGUOUS) return { kind: "ambiguous" };
    const isOver = hold.releasedMs !== undefined && unixMs >= hold.releasedMs;
    if (!isOver) return { kind: "held", pod: hold.holder };
    // While the API server is away nobody tells who has a free address now.
    return this.#options.sync.followsPods ? { kind: "tombstone", pod: hold.holder } : { kind: "ambiguous" };
  }

  podAnswering(address: string, unixMs: number): Held | Ambiguous | undefined {
    const hold = this.#pods.answering(address, unixMs);
    if (hold === undefined) return undefined;
    return hold === AMBIGUOUS ? { kind: "ambiguous" } : { kind: "held", pod: hold.holder };
  }

  serviceAt(address: string, port: number, unixMs: number): ServiceRecord | undefined {
    const roles = this.#roles.of(address);
    const service =
      (roles & (ROLE.service | ROLE.range)) === 0 ? undefined : this.#services.at(address, port, unixMs);
    if (service !== undefined || (roles & ROLE.node) === 0) return service;
    return this.#services.atNodePort(port, unixMs);
  }

  hostPortPod(address: string, port: number, unixMs: number): PodRecord | undefined {
    const node = this.#nodes.at(address);
    if (node === undefined) return undefined;
    const pod = this.#pods.hostPort(port, address, unixMs) ?? this.#pods.hostPort(port, node.name, unixMs);
    // While the API server is away nobody tells who has a free port now.
    const isFree = pod?.endedMs !== undefined && pod.endedMs <= unixMs;
    return isFree && !this.#options.sync.followsPods ? undefined : pod;
  }

  endpointPod(address: string, port: number, unixMs: number): PodRecord | undefined {
    const [uid, ...others] = this.#endpoints.podUids(address, port);
    const pod = uid === undefined || others.length > 0 ? undefined : this.#pods.byUid(uid);
    // An endpoint has no times of its own: one of today says nothing of who was there before its pod began.
    return pod !== undefined && unixMs >= pod.earliestMs ? pod : undefined;
  }

  servicesOfEndpoint(address: string, port: number): readonly ServiceRecord[] {
    const names = this.#endpoints.services(address, port);
    return names.map((name) => this.#services.byName(name)).filter((service) => service !== undefined);
  }

  nodeAt(address: string): NodeRecord | undefined {
    return (this.#roles.of(address) & ROLE.node) === 0 ? undefined : this.#nodes.at(address);
  }

  nodeOfRange(address: string): NodeRecord | undefined {
    const { ownNode } = this.#options;
    // Until its own range is told this node may have one that another has given back.
    if (ownNode !== undefined && this.#nodes.byName(ownNode)?.hasRange !== true) return undefined;
    return this.#nodes.ofRange(address);
  }

  nodeByName(name: string): NodeRecord | undefined {
    return this.#nodes.byName(name);
  }

  isClusterAddress(address: string): boolean {
    return this.#roles.of(address) !== 0;
  }

  cidrName(address: string): string | undefined {
    return this.#names.find(address);
  }

  /**
   * An address that nobody is known to have is surely outside only where the ranges of all pods are known, or where
   * every pod is and none has an address that was not told yet.
   */
  get complete(): boolean {
    const { sync, wholeCluster, clusterRanges = [] } = this.#options;
    if (!sync.complete) return false;
    if (clusterRanges.length > 0) return true;
    if (this.#nodes.haveRanges) return this.#knowsNodes(this.#pods.waitingNodes);
    return wholeCluster && this.#pods.waiting === 0 && this.#pods.toldUntilMs === Number.POSITIVE_INFINITY;
  }

  #rolesOf(address: string): number {
    return (
      (this.#pods.hasAddress(address) ? ROLE.pod : 0) |
      (this.#nodes.hasAddress(address) ? ROLE.node : 0) |
      (this.#services.hasClusterAddress(address) ? ROLE.service : 0) |
      (this.#ranges.has(address) ? ROLE.range : 0)
    );
  }

  /** A node that has joined since the last list of nodes has a range that was not told. */
  #knowsNodes(names: Iterable<string>): boolean {
    for (const name of names) if (this.#nodes.byName(name) === undefined) return false;
    return true;
  }

  get pending(): boolean {
    return this.#options.sync.pending;
  }
}
