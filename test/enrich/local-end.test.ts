import assert from "node:assert/strict";
import { test } from "node:test";
import { findLocal } from "../../src/enrich/local-end.ts";
import type { Moment } from "../../src/enrich/moment.ts";
import { TCP_FIN_WAIT1 } from "../../src/event/kernel-tcp.ts";
import type { SocketFields } from "../../src/event/tcp-event.ts";
import { anEvent } from "../export/an-event.ts";
import { APP, aNode, aPod, aWorld, HOST_NETNS, NOW_MS, type World } from "./a-world.ts";

/** `moment` is what differs from an event that is its connection's first, of this very moment. */
function find(world: World, socket: Partial<SocketFields>, moment: Partial<Moment> = {}) {
  const event = anEvent({ socket: { localAddress: "10.244.1.5", ...socket } });
  const { ownership, end, awaits } = findLocal(event.socket, {
    unixMs: NOW_MS,
    sinceMs: NOW_MS,
    wasClosing: false,
    heard: undefined,
    translation: undefined,
    space: undefined,
    sources: world.sources(),
    lists: world,
    ...moment,
  });
  const node = end.node?.name;
  return {
    ownership,
    kind: end.kind,
    name: end.name,
    method: end.method,
    container: end.container,
    node,
    awaits,
  };
}

interface Case {
  readonly name: string;
  readonly world?: (world: World) => void;
  readonly socket: Partial<SocketFields>;
  readonly found: Partial<ReturnType<typeof find>>;
}

const AGENT = aPod("agent-1", { hostNetwork: true });
const POD_A = {
  ownership: "own",
  kind: "pod",
  name: "shop/cart-1",
  node: "node-a",
  awaits: undefined,
} as const;
const UNKNOWN = { kind: "unknown", name: "unknown", method: "none", container: undefined } as const;

const byCgroup: readonly Case[] = [
  {
    name: "the pod and the container of the socket's cgroup",
    socket: { cgroupId: 500n, netns: 7 },
    found: { ...POD_A, method: "cgroup", container: "app" },
  },
  {
    name: "the pod alone where the cgroup is the sandbox's",
    world: ({ cgroups }) => cgroups.set(501n, { kind: "pod", podUid: "uid-cart-1", containerId: undefined }),
    socket: { cgroupId: 501n, netns: 7 },
    found: { ...POD_A, method: "cgroup", container: undefined },
  },
  {
    name: "the pod alone while the API does not name the container yet",
    world: ({ cgroups }) =>
      cgroups.set(501n, { kind: "pod", podUid: "uid-cart-1", containerId: APP.replace("b", "c") }),
    socket: { cgroupId: 501n, netns: 7 },
    found: { ...POD_A, method: "cgroup", container: undefined },
  },
  {
    name: "a hostNetwork pod as itself",
    world: (world) => world.addPod(AGENT, { cgroup: 502n }),
    socket: { cgroupId: 502n, netns: HOST_NETNS, localAddress: "172.31.99.1" },
    found: { ownership: "own", name: "shop/agent-1", method: "cgroup", container: "app" },
  },
  {
    name: "the cgroup's pod where the namespace says another",
    world: (world) => world.addPod(aPod("old-1"), { netns: 7 }),
    socket: { cgroupId: 500n, netns: 7 },
    found: { ...POD_A, method: "cgroup" },
  },
  {
    name: "another node's pod in sight of this one as foreign",
    world: (world) => world.addPod(aPod("nested-1", { nodeName: "node-b" }), { cgroup: 503n, netns: 8 }),
    socket: { cgroupId: 503n, netns: 8 },
    found: { ownership: "foreign", name: "shop/nested-1", awaits: undefined },
  },
  {
    name: "nobody for a uid that the API does not know, though the address is a known pod's",
    world: ({ cgroups }) => cgroups.set(504n, { kind: "pod", podUid: "new", containerId: undefined }),
    socket: { cgroupId: 504n, netns: 7 },
    found: { ...UNKNOWN, ownership: "own", awaits: "pod new" },
  },
  {
    name: "a uid that the API does not know as foreign where the namespace is out of sight too",
    world: ({ cgroups }) => cgroups.set(504n, { kind: "pod", podUid: "new", containerId: undefined }),
    socket: { cgroupId: 504n, netns: 99 },
    found: { ...UNKNOWN, ownership: "foreign", awaits: "pod new" },
  },
  {
    name: "a uid that the API does not know as undetermined where the namespace was not looked for",
    world: ({ cgroups, namespaces }) => {
      cgroups.set(504n, { kind: "pod", podUid: "new", containerId: undefined });
      namespaces.set(9, { kind: "stale" });
    },
    socket: { cgroupId: 504n, netns: 9 },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: `sight of netns 9 at ${NOW_MS}` },
  },
  {
    name: "a uid that the API does not know as undetermined where some namespaces cannot be seen",
    world: ({ cgroups, namespaces }) => {
      cgroups.set(504n, { kind: "pod", podUid: "new", containerId: undefined });
      namespaces.set(9, { kind: "process", name: undefined });
    },
    socket: { cgroupId: 504n, netns: 9 },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "pod new" },
  },
  {
    name: "a process in a namespace that was not looked for as nobody's yet",
    world: ({ cgroups, namespaces }) => {
      cgroups.set(505n, { kind: "process", name: "kubelet.service" });
      namespaces.set(9, { kind: "stale" });
    },
    socket: { cgroupId: 505n, netns: 9, localAddress: "192.168.5.5" },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: `sight of netns 9 at ${NOW_MS}` },
  },
  {
    name: "a process outside Kubernetes by its unit",
    world: ({ cgroups }) => cgroups.set(505n, { kind: "process", name: "sshd.service" }),
    socket: { cgroupId: 505n, netns: HOST_NETNS },
    found: { ownership: "own", kind: "process", name: "sshd.service", method: "cgroup", node: "node-a" },
  },
  {
    name: "a process in a pod's namespace by its unit: what forwards a port there",
    world: ({ cgroups }) => cgroups.set(505n, { kind: "process", name: "containerd.service" }),
    socket: { cgroupId: 505n, netns: 7 },
    found: { ownership: "own", kind: "process", name: "containerd.service", method: "cgroup" },
  },
  {
    name: "a process whose namespace is out of sight as foreign: its cgroup alone shows nothing",
    world: ({ cgroups }) => cgroups.set(505n, { kind: "process", name: "kubelet.service" }),
    socket: { cgroupId: 505n, netns: 99 },
    found: { ownership: "foreign", awaits: "netns 99" },
  },
  {
    name: "a pod as this node's while the node's name is not known and its namespace is in sight",
    world: (world) => {
      world.nodeName = undefined;
    },
    socket: { cgroupId: 500n, netns: 7 },
    found: POD_A,
  },
  {
    name: "a pod as undetermined while the node's name is not known and its namespace is out of sight",
    world: (world) => {
      world.nodeName = undefined;
    },
    socket: { cgroupId: 500n, netns: 99 },
    found: { ownership: "undetermined", name: "shop/cart-1" },
  },
];

const byNamespace: readonly Case[] = [
  {
    name: "the pod of the namespace where the cgroup is not known",
    socket: { cgroupId: 999n, netns: 7 },
    found: { ...POD_A, method: "netns", container: undefined },
  },
  {
    name: "nobody for a namespace of a pod that the API does not know",
    world: ({ namespaces }) => namespaces.set(8, { kind: "pod", podUid: "new" }),
    socket: { netns: 8 },
    found: { ...UNKNOWN, ownership: "own", awaits: "pod new" },
  },
  {
    name: "the node for its own namespace, waiting for a cgroup that may be a hostNetwork pod's",
    socket: { cgroupId: 999n, netns: HOST_NETNS },
    found: { ownership: "own", kind: "node", name: "node-a", method: "node", awaits: "cgroup 999" },
  },
  {
    name: "the node at once where the cgroup is the root",
    socket: { cgroupId: 1n, netns: HOST_NETNS },
    found: { kind: "node", name: "node-a", awaits: undefined },
  },
  {
    name: "the node by its name before its Node object is known",
    world: ({ nodes }) => nodes.clear(),
    socket: { netns: HOST_NETNS },
    found: { kind: "node", name: "node-a", node: undefined },
  },
  {
    name: "this node where even its name is not known",
    world: (world) => {
      world.nodeName = undefined;
    },
    socket: { netns: HOST_NETNS },
    found: { ownership: "own", kind: "node", name: "this node" },
  },
  {
    name: "a namespace outside Kubernetes as this node's process",
    world: ({ namespaces }) => namespaces.set(9, { kind: "process", name: "docker-web" }),
    socket: { netns: 9 },
    found: { ownership: "own", kind: "process", name: "docker-web", method: "netns", node: "node-a" },
  },
  {
    name: "this node's pod by its address where nothing is known of the namespace",
    world: ({ namespaces }) => namespaces.set(9, { kind: "process", name: undefined }),
    socket: { netns: 9 },
    found: { ...POD_A, method: "address" },
  },
  {
    name: "nobody where nothing is known of the namespace and the address, and waits for the namespace",
    world: ({ namespaces }) => namespaces.set(9, { kind: "process", name: undefined }),
    socket: { netns: 9, localAddress: "192.168.5.5" },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "netns 9" },
  },
  {
    name: "what the address tells where the namespace was not looked for, and waits for that look alone",
    world: ({ namespaces }) => namespaces.set(9, { kind: "stale" }),
    socket: { netns: 9 },
    found: { ...POD_A, method: "address", awaits: `sight of netns 9 at ${NOW_MS}` },
  },
  {
    name: "nobody where a namespace was not looked for and the address says nothing, as undetermined",
    world: ({ namespaces }) => namespaces.set(9, { kind: "stale" }),
    socket: { netns: 9, localAddress: "192.168.5.5" },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: `sight of netns 9 at ${NOW_MS}` },
  },
  {
    name: "a namespace out of sight as foreign, whatever pod of this node has the address",
    socket: { netns: 99, localAddress: "10.244.1.5" },
    found: { ...UNKNOWN, ownership: "foreign", awaits: "netns 99" },
  },
];

const byAddress: readonly Case[] = [
  {
    name: "this node's pod by its address",
    socket: {},
    found: { ...POD_A, method: "address" },
  },
  {
    name: "another node's pod as foreign",
    socket: { localAddress: "10.244.2.9" },
    found: { ownership: "foreign", awaits: undefined },
  },
  {
    name: "another node's pod as foreign only after a watch that is behind",
    world: (world) => {
      world.pending = true;
    },
    socket: { localAddress: "10.244.2.9" },
    found: { ownership: "foreign", awaits: "cluster" },
  },
  {
    name: "a dead pod of this node by its address, waiting for a successor",
    world: ({ podsAt }) => podsAt.set("10.244.1.5", { kind: "tombstone", pod: aPod("cart-0") }),
    socket: { state: TCP_FIN_WAIT1 },
    found: { ownership: "own", name: "shop/cart-0", method: "tombstone", awaits: "successor 10.244.1.5" },
  },
  {
    name: "nobody for a living socket with a dead pod's address: a pod that has not told its own has it",
    world: ({ podsAt }) => podsAt.set("10.244.1.5", { kind: "tombstone", pod: aPod("cart-0") }),
    socket: {},
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "successor 10.244.1.5" },
  },
  {
    name: "nobody for an address that a pod of another node has left",
    world: ({ podsAt }) =>
      podsAt.set("10.244.1.5", { kind: "tombstone", pod: aPod("db-0", { nodeName: "node-b" }) }),
    socket: {},
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "successor 10.244.1.5" },
  },
  {
    name: "nobody for an address that two pods held",
    world: ({ podsAt }) => podsAt.set("10.244.1.5", { kind: "ambiguous" }),
    socket: {},
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "successor 10.244.1.5" },
  },
  {
    name: "the node by an address of its interfaces",
    socket: { localAddress: "172.31.98.1" },
    found: { ownership: "own", kind: "node", name: "node-a", method: "node" },
  },
  {
    name: "another node by its address as foreign",
    socket: { localAddress: "172.31.98.2" },
    found: { ownership: "foreign" },
  },
  {
    name: "nobody for a loopback address: every namespace has it",
    socket: { localAddress: "127.0.0.1" },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: undefined },
  },
  {
    name: "the node for its link-local address, undetermined: another may have the same",
    world: ({ hostAddresses }) => hostAddresses.add("169.254.20.10"),
    socket: { localAddress: "169.254.20.10" },
    found: { ownership: "undetermined", kind: "node", name: "node-a" },
  },
  {
    name: "nobody for a pod address that nobody has, which may still come",
    socket: { localAddress: "10.244.1.77" },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "address 10.244.1.77" },
  },
  {
    name: "nobody for an address outside the cluster, for good",
    socket: { localAddress: "172.17.0.2" },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: undefined },
  },
  {
    name: "whose a pod is not known as undetermined, with its name, while the node's name is not known",
    world: (world) => {
      world.nodeName = undefined;
    },
    socket: {},
    found: { ownership: "undetermined", name: "shop/cart-1", method: "address" },
  },
];

for (const { name, world: change, socket, found } of [...byCgroup, ...byNamespace, ...byAddress]) {
  test(`findLocal() gives ${name}`, () => {
    const world = aWorld();
    change?.(world);
    const all = find(world, socket);
    assert.deepEqual({ ...all, ...found }, all);
  });
}

/** Two pods that had cart-1's address, of which the API has told nothing yet. */
function withTakeover(world: World): void {
  for (const name of ["old-1", "new-1"]) world.addPod(aPod(name));
  world.podsAt.set("10.244.1.5", { kind: "tombstone", pod: aPod("cart-0") });
  // The successor has it since four seconds ago.
  const sinceMs = NOW_MS - 4_000;
  world.sights.set("10.244.1.5", (fromMs, untilMs) => {
    if (untilMs < sinceMs) return { kind: "one", podUid: "uid-old-1" };
    return fromMs < sinceMs ? { kind: "several" } : { kind: "one", podUid: "uid-new-1" };
  });
}

const seen: readonly (Case & { readonly moment?: Partial<Moment> })[] = [
  {
    name: "the pod whose namespace has the address, whatever the API has told of it",
    world: withTakeover,
    socket: {},
    found: { ownership: "own", name: "shop/new-1", method: "address", awaits: undefined },
  },
  {
    name: "for a closing socket the pod that had the address when the connection was seen first",
    world: withTakeover,
    socket: { state: TCP_FIN_WAIT1 },
    moment: { sinceMs: NOW_MS - 10_000 },
    found: { ownership: "own", name: "shop/old-1", method: "address" },
  },
  {
    name: "nobody for a socket that was closing when it was seen first, where two pods had the address just before",
    world: withTakeover,
    socket: { state: TCP_FIN_WAIT1 },
    moment: { wasClosing: true },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "successor 10.244.1.5" },
  },
  {
    name: "nobody for a socket that was closing when it was seen first, where a pod has the address since a moment ago",
    world: ({ podsAt }) =>
      podsAt.set("10.244.1.5", (unixMs) => ({
        kind: "held",
        pod: aPod(unixMs < NOW_MS - 2500 ? "old-1" : "new-1"),
      })),
    socket: { state: TCP_FIN_WAIT1 },
    moment: { wasClosing: true },
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "successor 10.244.1.5" },
  },
  {
    name: "no name but this node for an address of its range that two pods had",
    world: (world) => {
      withTakeover(world);
      world.ranges.push({ prefix: "10.244.1.", node: aNode("node-a") });
    },
    socket: { state: TCP_FIN_WAIT1 },
    moment: { wasClosing: true },
    found: { ...UNKNOWN, ownership: "own", awaits: "successor 10.244.1.5" },
  },
  {
    name: "another node's range as foreign, though no pod is known to have the address",
    world: ({ ranges }) => ranges.push({ prefix: "10.244.1.", node: aNode("node-c") }),
    socket: { localAddress: "10.244.1.77" },
    found: { ...UNKNOWN, ownership: "foreign", awaits: undefined },
  },
  {
    name: "for a socket that was closing when it was seen first the pod that had the address all the while before",
    world: (world) => {
      withTakeover(world);
      world.sights.set("10.244.1.5", { kind: "one", podUid: "uid-new-1" });
    },
    socket: { state: TCP_FIN_WAIT1 },
    moment: { wasClosing: true },
    found: { ownership: "own", name: "shop/new-1", method: "address" },
  },
  {
    name: "nobody for a pod of this host that the API does not know, and waits for it",
    world: ({ sights }) => sights.set("10.244.1.5", { kind: "one", podUid: "uid-untold" }),
    socket: {},
    found: { ...UNKNOWN, ownership: "undetermined", awaits: "pod uid-untold" },
  },
  {
    name: "nobody while the host has not looked since, and waits for a look",
    world: ({ sights }) => sights.set("10.244.1.5", { kind: "stale" }),
    socket: {},
    found: { ...UNKNOWN, ownership: "undetermined", awaits: `sight of 10.244.1.5 at ${NOW_MS}` },
  },
  {
    name: "another node's pod in sight of this one as foreign by its address too",
    world: (world) => {
      world.addPod(aPod("nested-1", { nodeName: "node-b" }));
      world.sights.set("10.244.1.5", { kind: "one", podUid: "uid-nested-1" });
    },
    socket: {},
    found: { ownership: "foreign", name: "shop/nested-1" },
  },
  {
    name: "the node for its own address, whatever a pod's namespace has",
    world: ({ sights }) => sights.set("172.31.98.1", { kind: "one", podUid: "uid-cart-1" }),
    socket: { localAddress: "172.31.98.1" },
    found: { ownership: "own", kind: "node", name: "node-a", method: "node" },
  },
];

for (const { name, world: change, socket, moment, found } of seen) {
  test(`findLocal() gives ${name}`, () => {
    const world = aWorld();
    change?.(world);
    const all = find(world, socket, moment);
    assert.deepEqual({ ...all, ...found }, all);
  });
}
