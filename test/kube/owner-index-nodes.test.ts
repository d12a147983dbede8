import assert from "node:assert/strict";
import { test } from "node:test";
import { aNode, anIndex, aPod, aService, list } from "./slim-objects.ts";

const NOW = 1_500_000;

test("OwnerIndex.nodeAt() finds a node by each of its addresses and by name", () => {
  const index = anIndex();
  list(index.nodes, [aNode({ notReadySeconds: 1400, cordoned: true })], NOW);
  const node = index.nodeAt("10.0.2.1");
  assert.ok(node);
  assert.equal(index.nodeByName("node-b"), node);
  const { zone, notReadySinceMs, cordoned, endedMs } = node;
  assert.deepEqual(
    { zone, notReadySinceMs, cordoned, endedMs },
    { zone: "zone-1", notReadySinceMs: 1_400_000, cordoned: true, endedMs: undefined },
  );
  list(index.nodes, [aNode({ addresses: ["172.16.0.9"] })], NOW + 1);
  assert.equal(index.nodeAt("10.0.2.1"), undefined);
  assert.equal(index.nodeAt("172.16.0.9"), node);
});

test("OwnerIndex.nodeAt() names no node where two have an address, and the living one of two in a row", () => {
  const index = anIndex();
  const other = aNode({ uid: "uid-o", name: "node-o" });
  list(index.nodes, [aNode(), other], NOW);
  assert.equal(index.nodeAt("172.16.0.2"), undefined);
  list(index.nodes, [other], NOW + 1);
  assert.equal(index.nodeAt("172.16.0.2")?.name, "node-o");
  assert.equal(index.nodeByName("node-b")?.endedMs, NOW + 1);
  list(index.nodes, [], NOW + 2);
  assert.equal(index.nodeAt("172.16.0.2")?.name, "node-o", "gone, but remembered");
  index.expire(NOW + 600_002);
  assert.equal(index.nodeAt("172.16.0.2"), undefined);
  assert.equal(index.counts().nodes, 0);
});

test("OwnerIndex.nodeByName() gives the newest node of a name", () => {
  const index = anIndex();
  list(index.nodes, [aNode()], NOW);
  list(index.nodes, [aNode({ uid: "uid-o" })], NOW + 1);
  assert.equal(index.nodeByName("node-b")?.uid, "uid-o");
  index.expire(NOW + 600_001);
  assert.equal(index.nodeByName("node-b")?.uid, "uid-o");
});

test("OwnerIndex remembers a deleted node, and keeps the one that is registered again when the old one is forgotten", () => {
  const index = anIndex({ ownNode: "node-a" });
  const own = aNode({ uid: "uid-a", name: "node-a", addresses: [], podCidrs: ["10.0.1.0/24"] });
  const told = () => {
    const [at, byName, ofRange] = [
      index.nodeAt("172.16.0.2"),
      index.nodeByName("node-b"),
      index.nodeOfRange("10.0.2.9"),
    ];
    const inCluster = ["172.16.0.2", "10.0.2.9"].every((address) => index.isClusterAddress(address));
    return [at?.uid, byName?.uid, byName?.zone, ofRange?.uid, inCluster];
  };
  list(index.nodes, [own, aNode()], NOW);
  assert.deepEqual(told(), ["uid-n", "uid-n", "zone-1", "uid-n", true]);
  list(index.nodes, [own], NOW + 1);
  assert.deepEqual(
    told(),
    ["uid-n", "uid-n", "zone-1", undefined, true],
    "nobody says who has the range now",
  );
  const again = aNode({ uid: "uid-again" });
  list(index.nodes, [own, again], NOW + 2);
  assert.deepEqual(told(), ["uid-again", "uid-again", "zone-1", "uid-again", true]);
  index.expire(NOW + 600_002);
  assert.deepEqual(told(), ["uid-again", "uid-again", "zone-1", "uid-again", true]);
  assert.equal(index.counts().nodes, 2);
});

test("OwnerIndex.isClusterAddress() knows ranges of nodes, services and the configuration, and every known address", () => {
  const index = anIndex({ clusterRanges: ["198.18.0.0/15"] });
  const ranges = { uid: "uid-r", cidrs: ["10.96.0.0/16", "fd00:96::/112"] };
  list(index.nodes, [aNode()], NOW);
  list(index.serviceCidrs, [ranges], NOW);
  list(index.pods, [aPod({ addresses: ["100.64.7.7"] })], NOW);
  list(index.services, [aService({ clusterAddresses: ["10.97.0.1"] })], NOW);
  const inside = [
    "10.0.2.77",
    "10.96.200.1",
    "fd00:96::7",
    "198.19.0.1",
    "100.64.7.7",
    "10.97.0.1",
    "172.16.0.2",
  ];
  for (const address of inside) assert.equal(index.isClusterAddress(address), true, address);
  for (const address of ["10.0.3.77", "fd00:97::7", "198.20.0.1", "100.64.7.8", "172.16.0.3"]) {
    assert.equal(index.isClusterAddress(address), false, address);
  }
  list(index.serviceCidrs, [], NOW + 1);
  assert.equal(index.isClusterAddress("10.96.200.1"), false);
});

test("OwnerIndex.isClusterAddress() keeps a range while one of two nodes has it", () => {
  const index = anIndex();
  const other = aNode({ uid: "uid-o", name: "node-o", addresses: [] });
  list(index.nodes, [aNode(), other], NOW);
  list(index.nodes, [other], NOW + 1);
  index.expire(NOW + 600_001);
  assert.equal(index.isClusterAddress("10.0.2.77"), true);
  list(index.nodes, [], NOW + 700_000);
  index.expire(NOW + 1_300_000);
  assert.equal(index.isClusterAddress("10.0.2.77"), false);
});

test("OwnerIndex.cidrName() gives the name of the smallest configured range", () => {
  const index = anIndex({
    cidrNames: { "192.168.0.0/16": "office", "192.168.7.0/24": "lab", "fd12::/16": "vpn" },
  });
  assert.equal(index.cidrName("192.168.7.1"), "lab");
  assert.equal(index.cidrName("192.168.8.1"), "office");
  assert.equal(index.cidrName("fd12::1"), "vpn");
  assert.equal(index.cidrName("192.169.0.1"), undefined);
});

test("OwnerIndex refuses a configured range that is none", () => {
  assert.throws(() => anIndex({ cidrNames: { "192.168.0.0/33": "office" } }), RangeError);
  assert.throws(() => anIndex({ clusterRanges: ["everything"] }), RangeError);
});

test("OwnerIndex.complete waits for the lists", () => {
  const sync = { complete: false, pending: true, followsPods: false };
  const index = anIndex({ sync });
  assert.deepEqual([index.complete, index.pending], [false, true]);
  sync.complete = true;
  sync.pending = false;
  assert.deepEqual([index.complete, index.pending], [true, false]);
});

test("OwnerIndex.complete needs the ranges of every node's pods where only its own are told of", () => {
  const index = anIndex({ wholeCluster: false });
  assert.equal(index.complete, false);
  list(index.nodes, [aNode()], NOW);
  assert.equal(index.complete, true);
  const elsewhere = { uid: "uid-o", name: "node-o", podCidrs: [] };
  list(index.nodes, [aNode(), aNode(elsewhere)], NOW);
  assert.equal(index.complete, false);
  list(index.nodes, [aNode()], NOW);
  assert.equal(index.complete, true);
  list(index.nodes, [aNode({ ownRanges: true })], NOW);
  assert.equal(index.complete, false);
  assert.equal(anIndex({ wholeCluster: false, clusterRanges: ["10.0.0.0/8"] }).complete, true);
});

test("OwnerIndex.complete is false without ranges while a pod may have an address that was not told", () => {
  const index = anIndex();
  list(index.pods, [aPod({ addresses: [] })], NOW);
  assert.equal(index.complete, false);
  index.pods.upsert(aPod(), NOW + 1);
  assert.equal(index.complete, true);
});

test("OwnerIndex.complete is false while a pod waits on a node that no list of nodes has told of", () => {
  const index = anIndex();
  list(index.nodes, [aNode()], NOW);
  list(index.pods, [aPod({ nodeName: "node-new", addresses: [] })], NOW);
  assert.equal(index.complete, false);
  index.pods.upsert(aPod({ nodeName: "node-new", addresses: ["10.0.9.5"] }), NOW + 1);
  assert.equal(index.complete, true);
});

test("OwnerIndex.isClusterAddress() knows a new node's address by the pods on its network", () => {
  const index = anIndex();
  const address = "172.16.0.9";
  const onNode = { nodeName: "node-new", hostNetwork: true, addresses: [address] };
  list(index.nodes, [aNode()], NOW);
  list(index.pods, [aPod(onNode), aPod({ ...onNode, uid: "uid-o" })], NOW);
  index.pods.upsert(aPod(onNode), NOW + 1);
  assert.equal(index.isClusterAddress(address), true);
  assert.equal(index.podAt(address, NOW), undefined);
  index.pods.remove(aPod(onNode), NOW + 2);
  index.expire(NOW + 600_002);
  assert.equal(index.isClusterAddress(address), true, "the other pod tells it still");
  index.pods.remove(aPod({ ...onNode, uid: "uid-o" }), NOW + 700_000);
  index.expire(NOW + 1_300_000);
  assert.equal(index.isClusterAddress(address), false);
});

test("OwnerIndex.nodeOfRange() gives the node whose pods alone can have an address, once the own node's range is told", () => {
  const index = anIndex();
  const other = aNode({ podCidrs: ["10.0.2.0/24", "fd00:2::/64"] });
  const own = aNode({ uid: "uid-a", name: "node-a", addresses: [], podCidrs: [] });
  list(index.nodes, [other, own], 1000);
  assert.equal(index.nodeOfRange("10.0.2.9"), undefined, "node-a may be given that range");
  list(index.nodes, [other, { ...own, podCidrs: ["10.0.1.0/24"] }], 2000);
  assert.deepEqual(
    ["10.0.2.9", "fd00:2::9", "10.0.1.9", "10.0.3.9"].map((address) => index.nodeOfRange(address)?.name),
    ["node-b", "node-b", "node-a", undefined],
  );
  list(
    index.nodes,
    [
      { ...other, ownRanges: true },
      { ...own, podCidrs: ["10.0.1.0/24"] },
    ],
    3000,
  );
  assert.equal(index.nodeOfRange("10.0.2.9"), undefined, "its CNI gives other addresses too");
  list(index.nodes, [{ ...own, podCidrs: ["10.0.2.0/24"] }], 4000);
  assert.equal(index.nodeOfRange("10.0.2.9")?.name, "node-a");
});
