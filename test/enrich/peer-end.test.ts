import assert from "node:assert/strict";
import { test } from "node:test";
import { findLocal } from "../../src/enrich/local-end.ts";
import type { Moment } from "../../src/enrich/moment.ts";
import { findPeer } from "../../src/enrich/peer-end.ts";
import type { SocketFields } from "../../src/event/tcp-event.ts";
import { anEvent } from "../export/an-event.ts";
import { aNode, aPod, aService, aWorld, HOST_NETNS, NOW_MS, type World } from "./a-world.ts";

/**
 * The peer of an event of shop/cart-1 on node-a; `change` is what differs from an event that is its connection's first,
 * of which nothing is known.
 */
function find(world: World, socket: Partial<SocketFields>, change: Partial<Moment> = {}) {
  const own = { localAddress: "10.244.1.5", localPort: 41000, cgroupId: 500n, netns: 7 };
  const event = anEvent({ socket: { ...own, ...socket } });
  const moment = {
    unixMs: NOW_MS,
    sinceMs: NOW_MS,
    wasClosing: false,
    heard: undefined,
    translation: undefined,
    space: undefined,
    sources: world.sources(),
    lists: world,
    ...change,
  };
  const { end, awaits } = findPeer(event.socket, findLocal(event.socket, moment).end, moment);
  return {
    kind: end.kind,
    name: end.name,
    method: end.method,
    service: end.service?.name,
    candidates: end.candidates.map((service) => service.name),
    node: end.node?.name,
    hint: end.hint?.kind,
    age: end.hint?.ageSeconds,
    awaits,
  };
}

interface Case {
  readonly name: string;
  readonly world?: (world: World) => void;
  readonly socket: Partial<SocketFields>;
  readonly found: Partial<ReturnType<typeof find>>;
}

const to = (peerAddress: string, peerPort: number) => ({ peerAddress, peerPort });
const DB = { kind: "pod", name: "shop/db-1", node: "node-b", awaits: undefined } as const;
const UNKNOWN = { kind: "unknown", name: "unknown", method: "none" } as const;

const byAddress: readonly Case[] = [
  {
    name: "a pod by its address, and no service though it is an endpoint of one",
    socket: to("10.244.2.9", 5432),
    found: { ...DB, method: "address", service: undefined, candidates: [], hint: undefined },
  },
  {
    name: "a pod by its IPv6 address",
    socket: { ...to("fd00:10:244:2::9", 5432), ipVersion: 6 },
    found: { ...DB, method: "address" },
  },
  {
    name: "nobody where two pods held the address",
    world: ({ podsAt }) => podsAt.set("10.244.2.9", { kind: "ambiguous" }),
    socket: to("10.244.2.9", 5432),
    found: { ...UNKNOWN, awaits: "successor 10.244.2.9" },
  },
  {
    name: "a service by its ClusterIP and port",
    socket: to("10.96.0.7", 5432),
    found: { kind: "service", name: "shop/db", method: "address", service: "db", node: undefined },
  },
  {
    name: "a service without a node by a ClusterIP that IPVS has put on an interface of this node",
    world: (world) => {
      world.hostAddresses.add("10.96.0.7");
      world.addNode(aNode("node-a", { cordoned: true }), "172.31.99.1");
    },
    socket: to("10.96.0.7", 5432),
    found: { kind: "service", name: "shop/db", node: undefined, hint: undefined },
  },
  {
    name: "the service and the node of a NodePort of another node, not the backend",
    socket: to("172.31.98.2", 30080),
    found: { kind: "service", name: "shop/db", method: "address", node: "node-b" },
  },
  {
    name: "a node, not a service, for a masquerade from a port that is a NodePort: the local end is an endpoint",
    world: ({ endpoints }) => endpoints.set("10.244.1.5 8080", [aService("cart")]),
    socket: { ...to("172.31.98.2", 30080), localPort: 8080 },
    found: { kind: "node", name: "node-b", method: "node", service: undefined },
  },
  {
    name: "a node, not a service, for the client of a half-open connection",
    socket: { ...to("172.31.98.2", 30080), state: 12 },
    found: { kind: "node", name: "node-b", method: "node" },
  },
  {
    name: "the pod behind a hostPort",
    world: ({ hostPorts }) => hostPorts.set("172.31.98.2 8443", aPod("edge-1", { nodeName: "node-b" })),
    socket: to("172.31.98.2", 8443),
    found: { kind: "pod", name: "shop/edge-1", method: "address", node: "node-b" },
  },
  {
    name: "the pod that was behind a hostPort as one that is gone",
    world: ({ hostPorts }) => {
      const pod = aPod("edge-1", { nodeName: "node-b", endedMs: NOW_MS - 3_000 });
      hostPorts.set("172.31.98.2 8443", pod);
    },
    socket: to("172.31.98.2", 8443),
    found: { kind: "pod", name: "shop/edge-1", method: "tombstone", hint: "pod_deleted", age: 3 },
  },
  {
    name: "the one hostNetwork pod that is an endpoint at a node's address and port",
    world: ({ endpointPods }) =>
      endpointPods.set("172.31.98.2 9100", aPod("exporter-b", { nodeName: "node-b", hostNetwork: true })),
    socket: to("172.31.98.2", 9100),
    found: { kind: "pod", name: "shop/exporter-b", method: "endpointslice", node: "node-b" },
  },
  {
    name: "the node where no hostNetwork pod is the only one there",
    socket: to("172.31.98.2", 9100),
    found: { kind: "node", name: "node-b", method: "node", awaits: undefined },
  },
  {
    name: "the node of a bridge address",
    socket: to("10.244.2.1", 40123),
    found: { kind: "node", name: "node-b", method: "node" },
  },
  {
    name: "this node by an address of its interfaces that the API does not know",
    socket: to("172.31.98.1", 6443),
    found: { kind: "node", name: "node-a", method: "node", node: "node-a" },
  },
  {
    name: "a node rather than a dead pod that had its address once",
    world: ({ podsAt }) => podsAt.set("172.31.98.2", { kind: "tombstone", pod: aPod("old-1") }),
    socket: to("172.31.98.2", 10250),
    found: { kind: "node", name: "node-b" },
  },
  {
    name: "a dead pod where nobody has its address, waiting for a successor",
    world: ({ podsAt }) => {
      const pod = aPod("db-0", { nodeName: "node-b", endedMs: NOW_MS - 14_000 });
      podsAt.set("10.244.2.8", { kind: "tombstone", pod });
    },
    socket: to("10.244.2.8", 5432),
    found: {
      kind: "pod",
      name: "shop/db-0",
      method: "tombstone",
      hint: "pod_deleted",
      age: 14,
      awaits: "successor 10.244.2.8",
    },
  },
  {
    name: "a name of the configuration",
    world: ({ cidrs }) => cidrs.set("192.0.2.7", "billing"),
    socket: to("192.0.2.7", 443),
    found: { kind: "cidr", name: "billing", method: "cidr" },
  },
  {
    name: "external for what is outside the cluster",
    socket: to("192.0.2.7", 443),
    found: { kind: "external", name: "external", method: "none", awaits: undefined },
  },
  {
    name: "unknown, not external, while a list is missing or a pod has not told its address",
    world: (world) => {
      world.complete = false;
    },
    socket: to("192.0.2.7", 443),
    found: { ...UNKNOWN, awaits: "complete" },
  },
  {
    name: "unknown while the first lists come, and waits for them",
    world: (world) => {
      Object.assign(world, { complete: false, pending: true });
    },
    socket: to("192.0.2.7", 443),
    found: { ...UNKNOWN, awaits: "cluster" },
  },
  {
    name: "a node whose port may be a service of a list that is not in yet: it waits",
    world: (world) => {
      Object.assign(world, { complete: false, pending: true });
    },
    socket: to("172.31.98.2", 33325),
    found: { kind: "node", awaits: "cluster" },
  },
  {
    name: "unknown for a pod address that nobody has, and waits for a new pod",
    socket: to("10.244.2.77", 5432),
    found: { ...UNKNOWN, awaits: "address 10.244.2.77" },
  },
  {
    name: "unknown at once for a pod address where only this node's pods are watched",
    world: (world) => {
      world.wholeCluster = false;
    },
    socket: to("10.244.2.77", 5432),
    found: { ...UNKNOWN, awaits: undefined },
  },
];

const backend = (address: string, port: number) => ({ address, port, side: "backend" }) as const;
const client = (address: string, port: number) => ({ address, port, side: "client" }) as const;

const byConntrack: readonly Case[] = [
  {
    name: "the service and the backend behind its ClusterIP",
    world: ({ translations }) => translations.set("10.96.0.7 5432", backend("10.244.2.9", 5432)),
    socket: to("10.96.0.7", 5432),
    found: { ...DB, method: "conntrack", service: "db" },
  },
  {
    name: "the service and the backend behind a NodePort of this node",
    world: ({ translations }) => translations.set("172.31.99.1 30080", backend("10.244.2.9", 5432)),
    socket: to("172.31.99.1", 30080),
    found: { ...DB, method: "conntrack", service: "db" },
  },
  {
    name: "a backend without a service where the API knows none",
    world: ({ translations }) => translations.set("10.96.0.99 80", backend("10.244.2.9", 5432)),
    socket: to("10.96.0.99", 80),
    found: { ...DB, method: "conntrack", service: undefined },
  },
  {
    name: "a hostNetwork backend by its one endpoint",
    world: ({ translations, endpointPods }) => {
      translations.set("10.96.0.7 5432", backend("172.31.98.2", 9100));
      endpointPods.set("172.31.98.2 9100", aPod("exporter-b", { nodeName: "node-b", hostNetwork: true }));
    },
    socket: to("10.96.0.7", 5432),
    found: { name: "shop/exporter-b", method: "endpointslice", service: "db", node: "node-b" },
  },
  {
    name: "the service and the node of a backend on a node's address",
    world: ({ translations }) => translations.set("10.96.0.7 5432", backend("172.31.98.2", 9100)),
    socket: to("10.96.0.7", 5432),
    found: { kind: "service", name: "shop/db", method: "conntrack", node: "node-b" },
  },
  {
    name: "the service alone where its backend is outside the cluster",
    world: ({ translations }) => translations.set("10.96.0.7 5432", backend("192.0.2.7", 5432)),
    socket: to("10.96.0.7", 5432),
    found: { kind: "service", name: "shop/db", method: "conntrack", node: undefined, awaits: undefined },
  },
  {
    name: "the service alone where two pods held the backend's address",
    world: ({ translations, podsAt }) => {
      translations.set("10.96.0.7 5432", backend("10.244.2.9", 5432));
      podsAt.set("10.244.2.9", { kind: "ambiguous" });
    },
    socket: to("10.96.0.7", 5432),
    found: { kind: "service", name: "shop/db", method: "conntrack" },
  },
  {
    name: "the service, waiting for a backend that is not known yet",
    world: ({ translations }) => translations.set("10.96.0.7 5432", backend("10.244.2.77", 5432)),
    socket: to("10.96.0.7", 5432),
    found: { kind: "service", name: "shop/db", awaits: "address 10.244.2.77" },
  },
  {
    name: "the dead backend of an entry that outlived it, with its service",
    world: ({ translations, podsAt }) => {
      translations.set("10.96.0.7 5432", backend("10.244.2.8", 5432));
      podsAt.set("10.244.2.8", { kind: "tombstone", pod: aPod("db-0", { endedMs: NOW_MS - 2500 }) });
    },
    socket: to("10.96.0.7", 5432),
    found: { name: "shop/db-0", method: "tombstone", service: "db", hint: "pod_deleted", age: 2.5 },
  },
  {
    name: "this node where it forwards a port of its own to a container outside Kubernetes",
    world: ({ translations }) => translations.set("172.31.98.1 8080", backend("172.17.0.2", 80)),
    socket: to("172.31.98.1", 8080),
    found: { kind: "node", name: "node-a", method: "node" },
  },
  {
    name: "the pod behind a masquerade",
    world: ({ translations }) => translations.set("10.244.1.1 40123", client("10.244.2.9", 51000)),
    socket: to("10.244.1.1", 40123),
    found: { ...DB, method: "conntrack", service: undefined },
  },
  {
    name: "the node behind a masquerade",
    world: ({ translations }) => translations.set("10.244.1.1 40123", client("172.31.98.2", 51000)),
    socket: to("10.244.1.1", 40123),
    found: { kind: "node", name: "node-b", method: "conntrack" },
  },
  {
    name: "no pod for a client's port that is a hostNetwork pod's endpoint",
    world: ({ translations, endpointPods }) => {
      translations.set("10.244.1.1 40123", client("172.31.98.2", 51000));
      endpointPods.set("172.31.98.2 51000", aPod("exporter-b"));
    },
    socket: to("10.244.1.1", 40123),
    found: { kind: "node", name: "node-b", method: "conntrack" },
  },
  {
    name: "a named client behind a masquerade",
    world: ({ translations, cidrs }) => {
      translations.set("10.244.1.1 40123", client("192.0.2.7", 51000));
      cidrs.set("192.0.2.7", "billing");
    },
    socket: to("10.244.1.1", 40123),
    found: { kind: "cidr", name: "billing", method: "conntrack" },
  },
  {
    name: "external for an outside client behind a masquerade, not the masquerade's node",
    world: ({ translations }) => translations.set("10.244.1.1 40123", client("192.0.2.7", 51000)),
    socket: to("10.244.1.1", 40123),
    found: { kind: "external", method: "none" },
  },
  {
    name: "the service, waiting for connection tracking's answer",
    world: ({ translations }) => translations.set("10.96.0.7 5432", "pending"),
    socket: to("10.96.0.7", 5432),
    found: { kind: "service", name: "shop/db", awaits: "conntrack 10.244.1.5 41000 10.96.0.7 5432" },
  },
];

const socketLevel = (world: World) => {
  world.socketLevelServices = true;
};
const twoServices = ({ endpoints }: World) =>
  endpoints.set("10.244.2.9 5432", [aService("db"), aService("db-canary")]);

const byEndpointSlice: readonly Case[] = [
  {
    name: "the one service of an endpoint, where services are resolved at the socket",
    world: socketLevel,
    socket: to("10.244.2.9", 5432),
    found: { ...DB, method: "endpointslice", service: "db", candidates: [] },
  },
  {
    name: "every service that may have been meant, where there are two",
    world: (world) => {
      socketLevel(world);
      twoServices(world);
    },
    socket: to("10.244.2.9", 5432),
    found: { ...DB, method: "endpointslice", service: undefined, candidates: ["db", "db-canary"] },
  },
  {
    name: "no service for a port that is none's",
    world: socketLevel,
    socket: to("10.244.2.9", 5433),
    found: { ...DB, method: "address", service: undefined },
  },
  {
    name: "no service for a client of an endpoint",
    world: (world) => {
      socketLevel(world);
      world.endpoints.set("10.244.1.5 8080", [aService("cart")]);
    },
    socket: { ...to("10.244.2.9", 5432), localPort: 8080 },
    found: { ...DB, method: "address", service: undefined },
  },
  {
    name: "the service of a hostNetwork endpoint",
    world: (world) => {
      socketLevel(world);
      world.endpointPods.set("172.31.98.2 9100", aPod("exporter-b", { hostNetwork: true }));
      world.endpoints.set("172.31.98.2 9100", [aService("exporter")]);
    },
    socket: to("172.31.98.2", 9100),
    found: { name: "shop/exporter-b", method: "endpointslice", service: "exporter" },
  },
  {
    name: "what connection tracking says before what EndpointSlices allow",
    world: (world) => {
      socketLevel(world);
      twoServices(world);
      world.translations.set("10.96.0.7 5432", backend("10.244.2.9", 5432));
    },
    socket: to("10.96.0.7", 5432),
    found: { ...DB, method: "conntrack", service: "db", candidates: [] },
  },
];

const loopback = { localAddress: "127.0.0.1", peerAddress: "127.0.0.1", peerPort: 15001 };

const inTheSameNamespace: readonly Case[] = [
  {
    name: "the pod itself for its loopback",
    socket: loopback,
    found: { kind: "pod", name: "shop/cart-1", method: "cgroup" },
  },
  {
    name: "the pod itself for its IPv6 loopback, by the namespace",
    socket: { localAddress: "::1", peerAddress: "::1", ipVersion: 6, cgroupId: undefined },
    found: { kind: "pod", name: "shop/cart-1", method: "netns" },
  },
  {
    name: "the pod of the cgroup for loopback where the namespace says another",
    world: (world) => world.addPod(aPod("old-1"), { netns: 7 }),
    socket: loopback,
    found: { name: "shop/cart-1", method: "cgroup" },
  },
  {
    name: "the pod in whose namespace another's process dials loopback",
    world: ({ cgroups }) => cgroups.set(505n, { kind: "process", name: "containerd.service" }),
    socket: { ...loopback, cgroupId: 505n },
    found: { kind: "pod", name: "shop/cart-1", method: "netns" },
  },
  {
    name: "this node for the host's loopback, whichever hostNetwork pod dials it",
    world: (world) => world.addPod(aPod("agent-1", { hostNetwork: true }), { cgroup: 502n }),
    socket: { ...loopback, cgroupId: 502n, netns: HOST_NETNS },
    found: { kind: "node", name: "node-a", method: "node" },
  },
  {
    name: "the container outside Kubernetes for its loopback",
    world: ({ namespaces }) => namespaces.set(9, { kind: "process", name: "docker-web" }),
    socket: { ...loopback, cgroupId: undefined, netns: 9 },
    found: { kind: "process", name: "docker-web", method: "netns" },
  },
  {
    name: "nobody for loopback in a namespace of which nothing is known",
    world: ({ namespaces }) => namespaces.set(9, { kind: "process", name: undefined }),
    socket: { ...loopback, cgroupId: undefined, netns: 9 },
    found: UNKNOWN,
  },
  {
    name: "nobody for loopback on a rung that does not tell the namespace",
    socket: { ...loopback, cgroupId: undefined, netns: undefined },
    found: { ...UNKNOWN, awaits: undefined },
  },
  {
    name: "a pod that dials its own address",
    socket: to("10.244.1.5", 8080),
    found: { kind: "pod", name: "shop/cart-1", method: "address" },
  },
  {
    name: "a pod that dials an address of its own which the API does not know",
    socket: { localAddress: "192.168.5.5", ...to("192.168.5.5", 8080) },
    found: { kind: "pod", name: "shop/cart-1", method: "cgroup" },
  },
  {
    name: "a service that the node dials at its own address",
    socket: {
      localAddress: "172.31.99.1",
      ...to("172.31.99.1", 30080),
      cgroupId: undefined,
      netns: HOST_NETNS,
    },
    found: { kind: "service", name: "shop/db", node: "node-a" },
  },
  {
    name: "this node where it dials itself",
    socket: { localAddress: "172.31.99.1", ...to("172.31.99.1", 22), cgroupId: undefined, netns: HOST_NETNS },
    found: { kind: "node", name: "node-a", method: "node" },
  },
];

const hints: readonly Case[] = [
  {
    name: "the hint no_endpoints of a service, before its node's state",
    world: ({ services, nodesAt }) => {
      services.set("172.31.98.2 30080", aService("db", { noEndpointsSinceMs: NOW_MS - 3000 }));
      nodesAt.set("172.31.98.2", aNode("node-b", { cordoned: true }));
    },
    socket: to("172.31.98.2", 30080),
    found: { name: "shop/db", hint: "no_endpoints", age: 3 },
  },
  {
    name: "the hint node_not_ready of a pod's node",
    world: (world) => world.addNode(aNode("node-b", { notReadySinceMs: NOW_MS - 40_000 })),
    socket: to("10.244.2.9", 5432),
    found: { ...DB, hint: "node_not_ready", age: 40 },
  },
  {
    name: "the hint node_cordoned of a node",
    world: ({ nodesAt }) => nodesAt.set("172.31.98.2", aNode("node-b", { cordoned: true })),
    socket: to("172.31.98.2", 10250),
    found: { kind: "node", hint: "node_cordoned", age: undefined },
  },
];

const all = [...byAddress, ...byConntrack, ...byEndpointSlice, ...inTheSameNamespace, ...hints];
for (const { name, world: change, socket, found } of all) {
  test(`findPeer() gives ${name}`, () => {
    const world = aWorld();
    change?.(world);
    const all = find(world, socket);
    assert.deepEqual({ ...all, ...found }, all);
  });
}

test("findPeer() asks nothing of a host without connection tracking", () => {
  const sources = { ...aWorld().sources(), conntrack: undefined };
  const { socket } = anEvent({ socket: { ...to("10.96.0.7", 5432), netns: 7 } });
  const moment = {
    unixMs: NOW_MS,
    sinceMs: NOW_MS,
    wasClosing: false,
    heard: undefined,
    translation: undefined,
    space: undefined,
    sources,
    lists: aWorld(),
  };
  const { end } = findPeer(socket, findLocal(socket, moment).end, moment);
  assert.equal(end.name, "shop/db");
  assert.equal(end.method, "address");
});

const NEW = aPod("db-2", { nodeName: "node-b" });
const GONE = aPod("db-0", { nodeName: "node-b", endedMs: NOW_MS - 1_000 });
const heardAt = (...agoMs: readonly [first: number, last: number]) => ({
  heard: { firstMs: NOW_MS - agoMs[0], lastMs: NOW_MS - agoMs[1] },
});

const answered: readonly (Case & { readonly moment: Partial<Moment> })[] = [
  {
    name: "who had the address when it answered, though it is open who has it now",
    world: ({ podsAt, podsAnswering }) => {
      podsAt.set("10.244.2.9", { kind: "ambiguous" });
      podsAnswering.set("10.244.2.9", () => ({ kind: "held", pod: NEW }));
    },
    socket: to("10.244.2.9", 5432),
    moment: heardAt(200, 200),
    found: { name: "shop/db-2", method: "address", awaits: undefined },
  },
  {
    name: "who had the address when it answered first, where it is open who did last",
    world: ({ podsAnswering }) =>
      podsAnswering.set("10.244.2.9", (ms) =>
        ms < NOW_MS - 500 ? { kind: "held", pod: NEW } : { kind: "ambiguous" },
      ),
    socket: to("10.244.2.9", 5432),
    moment: heardAt(1_000, 100),
    found: { name: "shop/db-2", method: "address" },
  },
  {
    name: "a dead pod that answered last before its end, whoever has the address now",
    world: ({ podsAnswering }) => podsAnswering.set("10.244.2.9", () => ({ kind: "held", pod: GONE })),
    socket: to("10.244.2.9", 5432),
    moment: heardAt(5_000, 2_000),
    found: { name: "shop/db-0", method: "tombstone", hint: "pod_deleted", age: 1, awaits: undefined },
  },
  {
    name: "nobody where who answered is not known, though somebody is known to have had the address",
    world: ({ podsAt }) => podsAt.set("10.244.2.9", { kind: "tombstone", pod: GONE }),
    socket: to("10.244.2.9", 5432),
    moment: heardAt(100, 100),
    found: { ...UNKNOWN, awaits: "successor 10.244.2.9" },
  },
  {
    name: "a node that answered, whose address no pod has had",
    socket: to("172.31.98.2", 22),
    moment: heardAt(100, 100),
    found: { kind: "node", name: "node-b" },
  },
  {
    name: "the backend that connection tracking told before its entry went",
    socket: to("10.96.0.7", 5432),
    moment: { translation: backend("10.244.2.9", 5432) },
    found: { ...DB, method: "conntrack", service: "db" },
  },
  {
    name: "what connection tracking tells now rather than what it told before",
    world: ({ translations }) => translations.set("10.96.0.7 5432", backend("10.244.2.9", 5432)),
    socket: to("10.96.0.7", 5432),
    moment: { translation: backend("192.0.2.7", 5432) },
    found: { ...DB, method: "conntrack" },
  },
];

for (const { name, world: change, socket, moment, found } of answered) {
  test(`findPeer() gives ${name}`, () => {
    const world = aWorld();
    change?.(world);
    const all = find(world, socket, moment);
    assert.deepEqual({ ...all, ...found }, all);
  });
}
