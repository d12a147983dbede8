import type {
  CgroupOwner,
  ClusterLookup,
  HostLookup,
  NameSources,
  NamespaceOwner,
  PodAtAddress,
  PodSight,
  Translation,
} from "../../src/enrich/lookups.ts";
import type { NodeRecord, PodRecord, ServiceRecord } from "../../src/event/cluster.ts";

/** Unix time in ms of the events of these tests; the trace's epoch is one second before. */
export const NOW_MS = 1_795_412_152_000;
export const HOST_NETNS = 4026531840;
export const PAUSE = "a".repeat(64);
export const APP = "b".repeat(64);

export function aPod(name: string, change: Partial<PodRecord> = {}): PodRecord {
  return {
    uid: `uid-${name}`,
    namespace: "shop",
    name,
    nodeName: "node-a",
    hostNetwork: false,
    workload: { kind: "Deployment", name: name.split("-")[0]!, inferred: false },
    naming: undefined,
    containers: new Map([[APP, "app"]]),
    ready: true,
    readySinceMs: NOW_MS - 3_600_000,
    terminatingSinceMs: undefined,
    endedMs: undefined,
    ...change,
  };
}

export function aService(name: string, change: Partial<ServiceRecord> = {}): ServiceRecord {
  return {
    uid: `uid-svc-${name}`,
    namespace: "shop",
    name,
    noEndpointsSinceMs: undefined,
    endedMs: undefined,
    ...change,
  };
}

export function aNode(name: string, change: Partial<NodeRecord> = {}): NodeRecord {
  const zone = `zone-${name.at(-1)}`;
  const node = { uid: `uid-${name}`, name, zone, notReadySinceMs: undefined, cordoned: false };
  return { ...node, endedMs: undefined, ...change };
}

/** What a test knows: every look-up is a table that it fills. Keys of ports are `address port`. */
export class World {
  readonly pods = new Map<string, PodRecord>();
  /** At all times, or by the time in Unix ms. */
  readonly podsAt = new Map<string, PodAtAddress | ((unixMs: number) => PodAtAddress | undefined)>();
  /** At times when they answered, where that tells more. */
  readonly podsAnswering = new Map<string, (unixMs: number) => PodAtAddress | undefined>();
  /** At all times, or by the time in Unix ms, these too. */
  readonly services = new Map<string, ServiceRecord | ((unixMs: number) => ServiceRecord)>();
  readonly hostPorts = new Map<string, PodRecord | ((unixMs: number) => PodRecord)>();
  readonly endpointPods = new Map<string, PodRecord>();
  readonly endpoints = new Map<string, readonly ServiceRecord[]>();
  readonly nodes = new Map<string, NodeRecord>();
  readonly nodesAt = new Map<string, NodeRecord>();
  /** Ranges of nodes' pods. */
  readonly ranges: { readonly prefix: string; readonly node: NodeRecord }[] = [];
  readonly cidrs = new Map<string, string>();
  readonly cgroups = new Map<bigint, CgroupOwner>();
  readonly namespaces = new Map<number, NamespaceOwner>([[HOST_NETNS, { kind: "host" }]]);
  /** Pods whose namespaces have an address in a stretch of time. */
  readonly sights = new Map<string, PodSight | ((fromMs: number, untilMs: number) => PodSight | undefined)>();
  readonly hostAddresses = new Set<string>(["127.0.0.1", "::1"]);
  /** By `peer's address and port`. */
  readonly translations = new Map<string, Translation | "pending">();
  clusterPrefixes: readonly string[] = ["10.244.", "10.96.", "fd00:10:244:"];
  complete = true;
  pending = false;
  nodeName: string | undefined = "node-a";
  socketLevelServices = false;
  wholeCluster = true;

  /** A pod that the API and, when on this node, the host know: cgroup id, namespace, addresses. */
  addPod(
    pod: PodRecord,
    { addresses = [], cgroup, netns }: { addresses?: string[]; cgroup?: bigint; netns?: number } = {},
  ): PodRecord {
    this.pods.set(pod.uid, pod);
    for (const address of addresses) this.podsAt.set(address, { kind: "held", pod });
    if (cgroup !== undefined) this.cgroups.set(cgroup, { kind: "pod", podUid: pod.uid, containerId: APP });
    if (netns !== undefined) this.namespaces.set(netns, { kind: "pod", podUid: pod.uid });
    return pod;
  }

  addNode(node: NodeRecord, ...addresses: readonly string[]): NodeRecord {
    this.nodes.set(node.name, node);
    for (const address of addresses) this.nodesAt.set(address, node);
    return node;
  }

  sources(): NameSources {
    const world = this;
    return {
      cluster: this.#cluster(),
      host: this.#host(),
      conntrack: {
        translation: ({ peerAddress, peerPort }) => this.translations.get(`${peerAddress} ${peerPort}`),
      },
      get nodeName() {
        return world.nodeName;
      },
      get socketLevelServices() {
        return world.socketLevelServices;
      },
      get wholeCluster() {
        return world.wholeCluster;
      },
    };
  }

  #cluster(): ClusterLookup {
    const world = this;
    return {
      podByUid: (uid) => this.pods.get(uid),
      podAt: (address, unixMs) => at(this.podsAt.get(address), unixMs),
      podAnswering: (address, unixMs) => {
        const found = at(this.podsAnswering.get(address) ?? this.podsAt.get(address), unixMs);
        return found?.kind === "tombstone" ? { kind: "ambiguous" } : found;
      },
      serviceAt: (address, port, unixMs) => at(this.services.get(`${address} ${port}`), unixMs),
      hostPortPod: (address, port, unixMs) => at(this.hostPorts.get(`${address} ${port}`), unixMs),
      endpointPod: (address, port) => this.endpointPods.get(`${address} ${port}`),
      servicesOfEndpoint: (address, port) => this.endpoints.get(`${address} ${port}`) ?? [],
      nodeAt: (address) => this.nodesAt.get(address),
      nodeOfRange: (address) => this.ranges.find(({ prefix }) => address.startsWith(prefix))?.node,
      nodeByName: (name) => this.nodes.get(name),
      isClusterAddress: (address) => this.clusterPrefixes.some((prefix) => address.startsWith(prefix)),
      cidrName: (address) => this.cidrs.get(address),
      get complete() {
        return world.complete;
      },
      get pending() {
        return world.pending;
      },
    };
  }

  #host(): HostLookup {
    return {
      cgroup: (id) => this.cgroups.get(id),
      namespace: (inum) => this.namespaces.get(inum),
      podsWithAddress: (address, fromMs, untilMs) => {
        const sight = this.sights.get(address);
        return typeof sight === "function" ? sight(fromMs, untilMs) : sight;
      },
      isHostAddress: (address) => this.hostAddresses.has(address),
    };
  }
}

function at<T extends object>(told: T | ((unixMs: number) => T | undefined) | undefined, unixMs: number) {
  return typeof told === "function" ? told(unixMs) : told;
}

/**
 * Two nodes: this one is node-a with the pod shop/cart-1 (10.244.1.5, cgroup 500, namespace 7) and addresses
 * 172.31.99.1 and 172.31.98.1; node-b has shop/db-1 (10.244.2.9, fd00:10:244:2::9) behind the services shop/db at
 * 10.96.0.7:5432 and NodePort 30080.
 */
export function aWorld(): World {
  const world = new World();
  world.addNode(aNode("node-a"), "172.31.99.1");
  world.addNode(aNode("node-b"), "172.31.98.2", "10.244.2.1");
  for (const address of ["172.31.99.1", "172.31.98.1", "10.244.1.1"]) world.hostAddresses.add(address);
  world.addPod(aPod("cart-1"), { addresses: ["10.244.1.5"], cgroup: 500n, netns: 7 });
  world.addPod(aPod("db-1", { nodeName: "node-b" }), { addresses: ["10.244.2.9", "fd00:10:244:2::9"] });
  const db = aService("db");
  for (const at of ["10.96.0.7 5432", "172.31.98.2 30080", "172.31.99.1 30080"]) world.services.set(at, db);
  world.endpoints.set("10.244.2.9 5432", [db]);
  return world;
}
