import type { NodeRecord, PodRecord, ServiceRecord } from "../event/cluster.ts";

/** Who held a pod's address at a time. */
export type PodAtAddress =
  /** `tombstone`: the pod had released the address already, and nobody else held it. */
  | { readonly kind: "held" | "tombstone"; readonly pod: PodRecord }
  /** Two pods held it around that time, and the API does not tell which of the two at this moment. */
  | { readonly kind: "ambiguous" };

/**
 * What the cluster knows, at a time. Addresses are text in the one form of event/ip-address.ts; times are Unix
 * milliseconds, fractions allowed. Served by this node's own index, or by a cache of the whole cluster.
 */
export interface ClusterLookup {
  /** The pod of a uid as the API or a cgroup's path writes it (a static pod's config hash too), living or remembered. */
  podByUid(uid: string): PodRecord | undefined;
  /** The pod that held an address; never one on its node's network. */
  podAt(address: string, unixMs: number): PodAtAddress | undefined;
  /**
   * The pod that had an address at a time at which it answered; ambiguous where that may be one that is not known, now
   * that those who are known were gone. Never a tombstone.
   */
  podAnswering(address: string, unixMs: number): PodAtAddress | undefined;
  /** The service that an address and port stand for: ClusterIP, load balancer, external IP, or a NodePort on a node's address. */
  serviceAt(address: string, port: number, unixMs: number): ServiceRecord | undefined;
  /** The pod that a node's address and port lead to by hostPort. */
  hostPortPod(address: string, port: number, unixMs: number): PodRecord | undefined;
  /** The one pod with this endpoint address and port in EndpointSlices; undefined where there are several or none. */
  endpointPod(address: string, port: number, unixMs: number): PodRecord | undefined;
  /** Every service with this endpoint. */
  servicesOfEndpoint(address: string, port: number): readonly ServiceRecord[];
  /** The node with an address: status addresses, bridge and tunnel addresses of its podCIDRs and the usual CNI annotations. */
  nodeAt(address: string): NodeRecord | undefined;
  /** The node whose pods alone can have an address, by its podCIDRs; undefined where its CNI does not keep to them. */
  nodeOfRange(address: string): NodeRecord | undefined;
  nodeByName(name: string): NodeRecord | undefined;
  /** Whether the address lies in a pod, service or node range of the cluster: such a miss is unknown, never external. */
  isClusterAddress(address: string): boolean;
  /** The name that the configuration gives to the smallest range with this address. */
  cidrName(address: string): string | undefined;
  /** Whether every list that `external` depends on is complete. */
  readonly complete: boolean;
  /** Whether an object that is not known yet may still come: the first lists are not in, or a watch is behind. */
  readonly pending: boolean;
}

/** What a socket's cgroup says about its owner. */
export type CgroupOwner =
  /** `containerId` is undefined for the pod's own cgroup, the sandbox's and those of unknown depth. */
  | { readonly kind: "pod"; readonly podUid: string; readonly containerId: string | undefined }
  /** Outside Kubernetes: a systemd unit, a plain container, or the cgroup's path. `name` is what to show. */
  | { readonly kind: "process"; readonly name: string };

/** What a socket's network namespace says about its owner. */
export type NamespaceOwner =
  | { readonly kind: "pod"; readonly podUid: string }
  /** This node's own, which its hostNetwork pods share. */
  | { readonly kind: "host" }
  /** Held by a mount or a process of this node that is no pod's; without a name nothing is known of it, not even that. */
  | { readonly kind: "process"; readonly name: string | undefined }
  /** It was not looked for since: a later call knows more. */
  | { readonly kind: "stale" };

/** Who can have had an address, by the network namespaces of this host's pods. */
export type PodSight =
  | { readonly kind: "one"; readonly podUid: string }
  /** More than one: an address passes from a pod to another, or two clusters share this kernel. */
  | { readonly kind: "several" }
  /** It was not looked at since: a later call knows more. */
  | { readonly kind: "stale" };

/** What the host knows. Nothing here waits; what it does not know it goes to look for, and knows later. */
export interface HostLookup {
  /** Undefined: not known yet, or the root of the hierarchy, where every socket is on a host without cgroup v2. */
  cgroup(id: bigint): CgroupOwner | undefined;
  /** Undefined: not in sight of this node, so another node's on the same kernel, or gone before anyone looked. */
  namespace(inum: number): NamespaceOwner | undefined;
  /**
   * Which pods of this host can have had an address at some time between two, in Unix ms; undefined where none is in
   * sight.
   */
  podsWithAddress(address: string, fromMs: number, untilMs: number): PodSight | undefined;
  /** Whether an address is on an interface of the host's own network namespace. */
  isHostAddress(address: string): boolean;
}

/** One connection as a socket sees it. */
export interface SocketPair {
  readonly ipVersion: 4 | 6;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
}

/** What the host's connection tracking made of a connection. */
export interface Translation {
  /** The address that the socket's peer stands for: the backend behind a service, or the client behind a masquerade. */
  readonly address: string;
  readonly port: number;
  /** `backend`: this side opened the connection; `client`: the other side did. */
  readonly side: "backend" | "client";
}

/** Connection tracking of the host's network namespace. */
export interface ConntrackLookup {
  /**
   * Undefined where this host translates nothing for the connection, or has no entry of it; `pending` where the
   * answer is being read and will be known at a later call.
   */
  translation(pair: SocketPair): Translation | "pending" | undefined;
}

/** All that names are found with. It is read anew for each event, so that a getter may stand behind a part of it. */
export interface NameSources {
  readonly cluster: ClusterLookup;
  readonly host: HostLookup;
  readonly conntrack: ConntrackLookup | undefined;
  /** This node's name in Kubernetes; undefined while it is not known. */
  readonly nodeName: string | undefined;
  /** Services are resolved at the socket (Cilium's kube-proxy replacement): a pod's address may stand for a service. */
  readonly socketLevelServices: boolean;
  /** The pods of the whole cluster are watched, not this node's alone: a new peer's name may still come. */
  readonly wholeCluster: boolean;
}
