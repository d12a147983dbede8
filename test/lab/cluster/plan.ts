/** Addresses and names of the lab's one cluster: fixed, for one runs at a time. */

/** A range of both families. */
export interface DualStack {
  readonly v4: string;
  readonly v6: string;
}

export interface NodePlan {
  readonly name: string;
  readonly zone: string;
  /** In the Node's status. */
  readonly address: DualStack;
  /** On the link between the nodes: what a masqueraded connection comes from. */
  readonly link: DualStack;
  readonly podRange: DualStack;
  /** The bridge's, first of the pod range. */
  readonly bridge: DualStack;
}

/** This machine. */
export const NODE_A: NodePlan = {
  name: "node-a",
  zone: "zone-1",
  address: { v4: "172.31.99.1", v6: "fd00:99::1" },
  link: { v4: "172.31.98.1", v6: "fd00:98::1" },
  podRange: { v4: "10.244.1.0/24", v6: "fd00:10:244:1::/64" },
  bridge: { v4: "10.244.1.1", v6: "fd00:10:244:1::1" },
};

/** The virtual machine. */
export const NODE_B: NodePlan = {
  name: "node-b",
  zone: "zone-2",
  address: { v4: "172.31.98.2", v6: "fd00:98::2" },
  link: { v4: "172.31.98.2", v6: "fd00:98::2" },
  podRange: { v4: "10.244.2.0/24", v6: "fd00:10:244:2::/64" },
  bridge: { v4: "10.244.2.1", v6: "fd00:10:244:2::1" },
};

/** A bridge between nodes that share a kernel, as kind has one. */
export interface NestedLink {
  readonly bridge: string;
  readonly range: DualStack;
  readonly gateway: DualStack;
}

/** In the virtual machine. */
export const NESTED_LINK = nestedLink("nested0", 97);
/** On this machine. */
export const SIBLING_LINK = nestedLink("siblings0", 95);

/** Two nodes on the virtual machine's kernel, as kind has them. */
export const NESTED_NODES = [nestedNode("nested-1", 97, 1), nestedNode("nested-2", 97, 2)] as const;
/** Two on this machine's kernel, which tells them apart by addresses alone. */
export const SIBLING_NODES = [nestedNode("sibling-1", 95, 3), nestedNode("sibling-2", 95, 4)] as const;

function nestedLink(bridge: string, net: number): NestedLink {
  return {
    bridge,
    range: { v4: `172.31.${net}.0/24`, v6: `fd00:${net}::/64` },
    gateway: { v4: `172.31.${net}.1`, v6: `fd00:${net}::1` },
  };
}

function nestedNode(name: string, net: number, n: number): NodePlan {
  const address = { v4: `172.31.${net}.${n + 1}`, v6: `fd00:${net}::${n + 1}` };
  const pods = `fd00:10:244:${n + 2}::`;
  return {
    name,
    zone: `zone-${net === 97 ? 2 : 1}`,
    address,
    link: address,
    podRange: { v4: `10.244.${n + 2}.0/24`, v6: `${pods}/64` },
    bridge: { v4: `10.244.${n + 2}.1`, v6: `${pods}1` },
  };
}

/** Of the link between the nodes. */
export const LINK_RANGE: DualStack = { v4: "172.31.98.0/24", v6: "fd00:98::/64" };
export const CLUSTER_RANGE: DualStack = { v4: "10.244.0.0/16", v6: "fd00:10:244::/48" };
export const SERVICE_RANGE: DualStack = { v4: "10.96.0.0/16", v6: "fd00:96::/112" };

/** A network namespace of this machine that belongs to no range of the cluster. */
export const OUTSIDE = {
  netns: "tcpretrans-outside",
  link: "tro0",
  gateway: { v4: "198.51.100.1", v6: "2001:db8:51::1" },
  address: { v4: "198.51.100.2", v6: "2001:db8:51::2" },
} as const;

/** The virtual machine's end of the wire: a namespace with its tap, a bridge and this machine's link. */
export const WIRE = { netns: "tcpretrans-wire", link: "trw0", tap: "tap0" } as const;

/** Ports of this machine; unusual, so that another cluster on it is not met. */
export const PORTS = {
  api: 16443,
  etcdClient: 12379,
  etcdPeer: 12380,
  kubelet: 10250,
  /** Of the control of the virtual machine, in it. */
  guest: 19998,
  /** Datagrams of the pods' program. */
  report: 19999,
} as const;

/** How hosts of both families stand in a URL or before a port. */
export function hostPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
