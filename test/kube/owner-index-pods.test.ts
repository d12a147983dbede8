import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterLookup } from "../../src/enrich/lookups.ts";
import { aNode, anIndex, aPod, list, whoAt } from "./slim-objects.ts";

const A = "10.0.2.5";
/** The successor of a pod that began in second 1000: started in second 2000, told of at 2003.5. */
const SUCCESSOR = { uid: "uid-b", name: "b", startSeconds: 2000, networkSeconds: 2002 };
const TOLD_MS = 2_003_500;

test("OwnerIndex is a ClusterLookup", () => {
  const lookup: ClusterLookup = anIndex();
  assert.equal(lookup.complete, true);
});

test("OwnerIndex.podAt() gives a pod without a predecessor its address from a second before its start", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  assert.equal(whoAt(index, A, 998_999), "nobody");
  assert.equal(whoAt(index, A, 999_000), "a");
  assert.equal(whoAt(index, A, 9_999_999), "a");
  assert.equal(whoAt(index, "10.0.2.6", 1_500_000), "nobody");
});

test("OwnerIndex.podAt() takes a start on its own node at its word", () => {
  const index = anIndex({ ownNode: "node-b" });
  list(index.pods, [aPod()], 1_500_000);
  assert.equal(whoAt(index, A, 999_999), "nobody");
  assert.equal(whoAt(index, A, 1_000_000), "a");
});

test("OwnerIndex.podAt() gives nobody the stretch in which an address may have passed on", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.pods.remove(aPod(), 1_990_000);
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  assert.equal(whoAt(index, A, 1_989_999), "a");
  assert.equal(whoAt(index, A, 1_998_999), "† a");
  assert.equal(whoAt(index, A, 1_999_000), "ambiguous");
  assert.equal(whoAt(index, A, TOLD_MS - 1), "ambiguous");
  assert.equal(whoAt(index, A, TOLD_MS), "b");
});

test("OwnerIndex.podAt() shortens the stretch by the network's own time where it hears of the pod late", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.pods.upsert(aPod(SUCCESSOR), 2_600_000);
  // The second of its network may end at 2003, by a clock that may be 1 s off.
  assert.equal(whoAt(index, A, 2_003_999), "ambiguous");
  assert.equal(whoAt(index, A, 2_004_000), "b");
});

test("OwnerIndex.podAt() shortens the stretch by what the predecessor still did", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  const over = { terminal: true, finished: true, finishedSeconds: 2001 };
  index.pods.upsert(aPod(over), 2_001_700);
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  assert.equal(whoAt(index, A, 1_999_999), "a");
  assert.equal(whoAt(index, A, 2_000_000), "ambiguous");
});

test("OwnerIndex.podAt() keeps the successor when its predecessor's DELETE comes late", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.pods.upsert(aPod({ terminatingSeconds: 1990 }), 1_990_000);
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  index.pods.remove(aPod({ terminatingSeconds: 1990 }), 2_010_000);
  assert.equal(whoAt(index, A, 2_020_000), "b");
  assert.equal(whoAt(index, A, 1_500_000), "a");
});

test("OwnerIndex.podAt() lets a completed Job's address go without any delete", () => {
  const index = anIndex();
  const over = aPod({
    terminal: true,
    finished: true,
    finishedSeconds: 1700,
    startSeconds: 1690,
    networkSeconds: undefined,
    networkGoneSeconds: 1701,
  });
  list(index.pods, [over, aPod(SUCCESSOR)], 2_250_000);
  // Some time in the second that the API tells.
  assert.equal(whoAt(index, A, 1_701_999), "a");
  assert.equal(whoAt(index, A, 1_702_000), "† a");
  assert.equal(whoAt(index, A, 2_250_000), "b");
  assert.equal(index.podByUid("uid-a")?.endedMs, 1_702_000);
});

test("OwnerIndex.podAt() has no use for an address that was let go long before the first list", () => {
  const index = anIndex();
  const over = aPod({ terminal: true, finished: true, finishedSeconds: 1699 });
  list(index.pods, [over], 2_300_000);
  assert.equal(whoAt(index, A, 2_300_000), "nobody");
  assert.equal(index.podByUid("uid-a")?.name, "a");
});

test("OwnerIndex.podAt() orders a terminating pod and its successor in one list, either way round", () => {
  const terminating = aPod({ terminatingSeconds: 1990 });
  for (const items of [
    [terminating, aPod(SUCCESSOR)],
    [aPod(SUCCESSOR), terminating],
  ]) {
    const index = anIndex();
    list(index.pods, items, 2_500_000);
    assert.equal(whoAt(index, A, 1_900_000), "a");
    assert.equal(whoAt(index, A, 2_400_000), "b");
  }
});

test("OwnerIndex.podAt() orders a pod after one that the list tells to be over, or does not tell any more", () => {
  const over = { terminal: true, finished: true, finishedSeconds: 2500, networkGoneSeconds: 2500 };
  const a = { ...aPod(), startSeconds: 1000, networkSeconds: 2400 };
  const b = aPod({ uid: "uid-b", name: "b", startSeconds: 1000, networkSeconds: 2590, endsByItself: true });
  for (const items of [[b], [b, aPod({ ...a, ...over })]]) {
    const index = anIndex();
    index.pods.upsert(a, 2_401_000);
    list(index.pods, items, 2_600_000);
    index.pods.remove(b, 2_601_000);
    assert.notEqual(whoAt(index, A, 2_603_000), "† a", `a list of ${items.length}`);
  }
});

test("OwnerIndex.podAt() puts a pod that is told of when it is over before the one that lasts", () => {
  const index = anIndex();
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  const brief = { uid: "uid-c", name: "c", startSeconds: 2001, networkSeconds: undefined };
  index.pods.upsert(aPod({ ...brief, terminal: true, finished: true, finishedSeconds: 2001 }), 2_003_600);
  assert.equal(whoAt(index, A, 2_010_000), "b");
});

test("OwnerIndex.podAt() puts a pod that was over when told of after a predecessor whose end was not told yet", () => {
  const index = anIndex();
  list(index.pods, [aPod({ terminatingSeconds: 1990 })], 1_991_000);
  index.pods.upsert(aPod({ ...SUCCESSOR, terminal: true, finished: true, finishedSeconds: 2004 }), 2_005_000);
  assert.equal(whoAt(index, A, 2_003_500), "ambiguous");
  assert.equal(whoAt(index, A, 2_004_000), "b");
  assert.equal(whoAt(index, A, 2_005_000), "† b");
  index.pods.remove(aPod({ terminatingSeconds: 1990 }), 2_006_000);
  assert.equal(whoAt(index, A, 2_010_000), "† b");
});

test("OwnerIndex.podAt() gives nobody an address that an unannounced pod of the node may have", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  const waiting = aPod({ ...SUCCESSOR, addresses: [], networkSeconds: undefined });
  index.pods.upsert(waiting, 2_000_500);
  assert.equal(whoAt(index, A, 2_000_500), "a", "it runs, and nobody asked for its end");
  index.pods.remove(aPod(), 2_000_600);
  assert.equal(whoAt(index, A, 2_001_000), "ambiguous");
  assert.equal(whoAt(index, A, 1_998_000), "a", "before the other was there");
  index.expire(2_001_000 + 1801);
  assert.equal(whoAt(index, A, 2_001_000), "† a", "its kubelet would have told by now");
  assert.equal(whoAt(index, A, 2_002_500), "ambiguous");
  index.pods.upsert(aPod({ ...SUCCESSOR, addresses: ["10.0.2.6"] }), TOLD_MS);
  assert.equal(whoAt(index, A, TOLD_MS), "† a");
});

test("OwnerIndex.podAt() does not suspect a pod of another node, of no node, or on its node's network", () => {
  for (const change of [{ nodeName: "node-c" }, { nodeName: undefined }, { hostNetwork: true }]) {
    const index = anIndex();
    list(index.pods, [aPod()], 1_500_000);
    index.pods.upsert(aPod({ ...SUCCESSOR, addresses: [], ...change }), 2_000_500);
    index.pods.remove(aPod(), 2_000_600);
    assert.equal(whoAt(index, A, 2_001_000), "† a");
  }
});

test("OwnerIndex.podAt() suspects that a pod which ends by itself is over", () => {
  const index = anIndex();
  list(index.pods, [aPod({ endsByItself: true })], 1_500_000);
  index.pods.upsert(aPod({ ...SUCCESSOR, addresses: [] }), 2_000_500);
  assert.equal(whoAt(index, A, 2_000_600), "ambiguous");
});

test("OwnerIndex.podAt() follows a pod to another address and back", () => {
  const index = anIndex();
  const started = { startSeconds: 1400, networkSeconds: 1402 };
  list(index.pods, [aPod(started)], 1_500_000);
  index.pods.upsert(aPod({ ...started, addresses: ["10.0.2.9"] }), 1_600_000);
  assert.equal(whoAt(index, A, 1_599_999), "a");
  assert.equal(whoAt(index, A, 1_600_000), "† a");
  assert.equal(whoAt(index, "10.0.2.9", 1_600_000), "a");
  index.pods.upsert(aPod(started), 1_700_000);
  assert.equal(whoAt(index, A, 1_700_000), "a");
  assert.equal(whoAt(index, A, 1_650_000), "a", "no one else had it in between");
  index.pods.upsert(
    aPod({ ...SUCCESSOR, addresses: ["10.0.2.9"], startSeconds: 1720, networkSeconds: 1722 }),
    1_725_000,
  );
  assert.equal(whoAt(index, "10.0.2.9", 1_725_000), "b");
});

test("OwnerIndex.podAt() finds a pod by each of its addresses", () => {
  const index = anIndex();
  list(index.pods, [aPod({ addresses: [A, "fd00:10::5"] })], 1_500_000);
  assert.equal(whoAt(index, "fd00:10::5", 1_500_000), "a");
  index.pods.remove(aPod({ addresses: [A, "fd00:10::5"] }), 1_600_000);
  assert.equal(whoAt(index, "fd00:10::5", 1_600_000), "† a");
});

test("OwnerIndex.podAt() never gives a node's address to a pod on its network", () => {
  const index = anIndex();
  list(index.nodes, [aNode()], 1_500_000);
  const hostPorts = [{ port: 9100, address: undefined }];
  list(index.pods, [aPod({ hostNetwork: true, addresses: ["172.16.0.2"], hostPorts })], 1_500_000);
  assert.equal(whoAt(index, "172.16.0.2", 1_500_000), "nobody");
  assert.equal(index.podByUid("uid-a")?.hostNetwork, true);
  assert.equal(index.hostPortPod("172.16.0.2", 9100, 1_500_000)?.name, "a");
  assert.equal(index.hostPortPod("172.16.0.2", 9101, 1_500_000), undefined);
});

test("OwnerIndex.hostPortPod() gives nobody a port that a pod may have taken, or whose pod is gone while nobody tells", () => {
  const sync = { complete: true, pending: false, followsPods: true };
  const index = anIndex({ sync });
  list(index.nodes, [aNode()], 1_000_000);
  const hostPorts = [{ port: 80, address: undefined }];
  list(index.pods, [aPod({ hostPorts })], 1_500_000);
  index.pods.remove(aPod({ hostPorts }), 1_990_000);
  const name = (ms: number) => index.hostPortPod("172.16.0.2", 80, ms)?.name;
  assert.equal(name(1_991_000), "a");
  sync.followsPods = false;
  assert.equal(name(1_991_000), undefined);
  assert.equal(name(1_980_000), "a");
  sync.followsPods = true;
  const next = aPod({ ...SUCCESSOR, hostPorts, addresses: [], networkSeconds: undefined });
  index.pods.upsert(next, 2_000_500);
  index.expire(2_001_000);
  assert.equal(name(2_001_000), undefined);
});

test("OwnerIndex.hostPortPod() goes by any address of the node, or by the one that the port is on", () => {
  const index = anIndex();
  list(index.nodes, [aNode()], 1_500_000);
  const hostPorts = [
    { port: 80, address: undefined },
    { port: 81, address: "172.16.0.2" },
  ];
  list(index.pods, [aPod({ hostPorts })], 1_500_000);
  assert.equal(index.hostPortPod("10.0.2.1", 80, 1_500_000)?.name, "a");
  assert.equal(index.hostPortPod("172.16.0.2", 81, 1_500_000)?.name, "a");
  assert.equal(index.hostPortPod("10.0.2.1", 81, 1_500_000), undefined);
  index.pods.upsert(aPod({ ...SUCCESSOR, addresses: ["10.0.2.9"], hostPorts }), TOLD_MS);
  assert.equal(index.hostPortPod("10.0.2.1", 80, 1_990_000)?.name, "a");
  assert.equal(index.hostPortPod("10.0.2.1", 80, 2_002_000), undefined, "either of the two");
  assert.equal(index.hostPortPod("10.0.2.1", 80, TOLD_MS)?.name, "b");
});

test("OwnerIndex.podByUid() knows a static pod by its cgroup's name, the newest of its mirror pods", () => {
  const index = anIndex();
  list(index.pods, [aPod({ configHash: "f00d" })], 1_500_000);
  assert.equal(index.podByUid("f00d")?.uid, "uid-a");
  index.pods.upsert(aPod({ ...SUCCESSOR, configHash: "f00d" }), TOLD_MS);
  index.pods.remove(aPod({ configHash: "f00d" }), 2_010_000);
  index.expire(2_010_000 + 600_000);
  assert.equal(index.podByUid("uid-a"), undefined);
  assert.equal(index.podByUid("f00d")?.uid, "uid-b");
});

test("OwnerIndex.pods keeps one object for a uid and changes it", () => {
  const index = anIndex();
  list(index.pods, [aPod({ ready: false, addresses: [], nodeName: undefined })], 1_500_000);
  const pod = index.podByUid("uid-a");
  assert.equal(pod?.nodeName, undefined);
  const containers = new Map([["c0ffee", "server"]]);
  index.pods.upsert(aPod({ terminatingSeconds: 1590, containers }), 1_600_000);
  assert.equal(index.podByUid("uid-a"), pod);
  assert.ok(pod);
  const { ready, readySinceMs, terminatingSinceMs, nodeName, endedMs, workload } = pod;
  assert.deepEqual(
    { ready, readySinceMs, terminatingSinceMs, nodeName, endedMs, workload },
    {
      ready: true,
      readySinceMs: 1_005_000,
      terminatingSinceMs: 1_590_000,
      nodeName: "node-b",
      endedMs: undefined,
      workload: { kind: "Deployment", name: "a", inferred: false },
    },
  );
  assert.equal(pod.containers?.get("c0ffee"), "server");
});

test("OwnerIndex.pods ends by uid what a list does not name, and begins it anew when it is back", () => {
  const index = anIndex();
  const other = aPod({ uid: "uid-b", name: "b", addresses: ["10.0.2.6"] });
  list(index.pods, [aPod(), other], 1_500_000);
  index.pods.replaceBegin();
  index.pods.upsert(other, 1_600_000);
  assert.equal(whoAt(index, A, 1_600_000), "a", "the list is not in yet");
  index.pods.replaceEnd(1_600_000);
  assert.equal(whoAt(index, A, 1_600_000), "† a");
  assert.equal(whoAt(index, "10.0.2.6", 1_600_000), "b");
  list(index.pods, [aPod(), other], 1_700_000);
  assert.equal(whoAt(index, A, 1_700_000), "a");
  index.expire(1_600_000 + 600_001);
  assert.equal(whoAt(index, A, 1_700_000), "a", "its old grave is empty");
});

test("OwnerIndex.pods knows a pod by its DELETE alone", () => {
  const index = anIndex();
  index.pods.remove(aPod(), 1_500_000);
  assert.equal(whoAt(index, A, 1_499_999), "a");
  assert.equal(whoAt(index, A, 1_500_000), "† a");
});

test("OwnerIndex.expire() forgets what has been gone for ten minutes, and no sooner", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.pods.remove(aPod(), 1_600_000);
  index.expire(1_600_000 + 598_000);
  assert.equal(whoAt(index, A, 1_700_000), "† a");
  index.expire(1_600_000 + 599_999);
  assert.equal(index.counts().tombstones, 1);
  index.expire(1_600_000 + 600_000);
  assert.equal(whoAt(index, A, 1_700_000), "nobody");
  assert.equal(index.podByUid("uid-a"), undefined);
  assert.deepEqual([index.counts().pods, index.counts().tombstones], [0, 0]);
});

test("OwnerIndex.podAt() gives nobody an address for times after a pod whose successor may be forgotten", () => {
  const index = anIndex();
  const over = { terminal: true, finished: true, finishedSeconds: 1599, terminatingSeconds: 1590 };
  list(index.pods, [aPod({ networkSeconds: 1002 })], 1_500_000);
  index.pods.upsert(aPod(over), 1_600_000);
  const next = aPod({ uid: "uid-b", name: "b", startSeconds: 1610, networkSeconds: 1611 });
  index.pods.upsert(next, 1_612_000);
  index.pods.remove(next, 1_620_000);
  index.expire(2_218_000);
  assert.equal(whoAt(index, A, 2_218_000), "† b");
  for (const nowMs of [2_221_000, 2_221_900]) index.expire(nowMs);
  assert.equal(whoAt(index, A, 2_221_900), "ambiguous", "its object is still there, that of the last is not");
});

test("OwnerIndex.expire() drops the address of a pod that is over but keeps the pod while the API has it", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  const over = aPod({ terminal: true, finished: true, finishedSeconds: 1599 });
  index.pods.upsert(over, 1_600_000);
  index.expire(2_300_000);
  index.pods.upsert(over, 2_300_000);
  assert.equal(whoAt(index, A, 1_700_000), "nobody");
  assert.equal(index.podByUid("uid-a")?.endedMs, 1_600_000);
});

test("OwnerIndex forgets the oldest of too many tombstones and counts them", () => {
  const index = anIndex({ tombstones: { keepMs: 600_000, maxCount: 2 } });
  for (const [i, goneMs] of [1_500_000, 1_505_000, 1_515_000].entries()) {
    index.pods.remove(aPod({ uid: `uid-${i}`, name: `p${i}`, addresses: [`10.0.2.${i}`] }), goneMs);
  }
  assert.equal(whoAt(index, "10.0.2.0", 1_600_000), "nobody");
  assert.equal(whoAt(index, "10.0.2.1", 1_600_000), "ambiguous", "a successor may have had to make room");
  assert.equal(whoAt(index, "10.0.2.2", 1_600_000), "† p2");
  assert.deepEqual([index.counts().tombstones, index.counts().tombstonesDropped], [2, 1]);
});

test("OwnerIndex.ownPods() gives the pods of the own node that are not over", () => {
  const index = anIndex({ ownNode: "node-1" });
  const names = () => [...index.ownPods()].map(({ name }) => name);
  list(index.pods, [aPod({ nodeName: "node-1" }), aPod({ ...SUCCESSOR, nodeName: "node-2" })], 1_500_000);
  assert.deepEqual(names(), ["a"]);
  index.pods.upsert(
    aPod({ uid: "uid-c", name: "c", nodeName: "node-1", addresses: ["10.0.9.9"] }),
    1_600_000,
  );
  assert.deepEqual(names(), ["a", "c"]);
  const over = { terminal: true, finished: true, finishedSeconds: 1700 };
  index.pods.upsert(aPod({ nodeName: "node-1", ...over }), 1_701_000);
  assert.deepEqual(names(), ["c"]);
  index.pods.remove(aPod({ uid: "uid-c", name: "c", nodeName: "node-1" }), 1_800_000);
  assert.deepEqual(names(), []);
});

/** What podAnswering() says, in one word. */
function whoAnswered(index: ClusterLookup, unixMs: number): string {
  const held = index.podAnswering(A, unixMs);
  return held === undefined ? "nobody" : held.kind === "ambiguous" ? "ambiguous" : held.pod.name;
}

test("OwnerIndex.podAnswering() gives the successor the stretch in which its predecessor was gone already", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.pods.remove(aPod(), 1_990_000);
  assert.equal(whoAnswered(index, 1_989_999), "a");
  assert.equal(whoAnswered(index, 1_990_000), "ambiguous", "whoever answers has not been told of yet");
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  assert.equal(whoAnswered(index, 1_998_999), "ambiguous");
  assert.equal(whoAnswered(index, 1_999_000), "b");
  assert.equal(whoAt(index, A, 1_999_000), "ambiguous");
  assert.equal(whoAnswered(index, 998_999), "nobody");
});

test("OwnerIndex gives nobody the beginning of a hold whose predecessor may be forgotten", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.pods.remove(aPod(), 2_000_500);
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  const answered = (unixMs: number) => index.podAnswering(A, unixMs)?.kind;
  assert.equal(answered(2_001_000), "ambiguous");
  assert.equal(whoAt(index, A, 2_001_000), "ambiguous");
  for (const now of [2_580_000, 2_595_000, 2_600_400, 2_600_600, 2_700_000]) {
    index.expire(now);
    assert.equal(answered(2_001_000), "ambiguous", `${now}`);
    assert.equal(whoAt(index, A, 2_001_000), "ambiguous", `${now}`);
    assert.equal(whoAt(index, A, TOLD_MS), "b", "what is certain needs no predecessor");
    assert.equal(answered(TOLD_MS + 10_000), "held");
  }
  assert.equal(index.counts().tombstones, 0);
});

test("OwnerIndex gives nobody the beginning of a hold whose predecessor the bound on tombstones may have cost", () => {
  const index = anIndex({ tombstones: { keepMs: 600_000, maxCount: 2 } });
  const other = (i: number) => aPod({ uid: `uid-${i}`, name: `other-${i}`, addresses: [`10.0.2.${20 + i}`] });
  list(index.pods, [aPod(), other(0), other(1), other(2)], 1_500_000);
  index.pods.remove(other(0), 1_980_000);
  index.pods.remove(aPod(), 2_000_500);
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  const young = {
    uid: "uid-c",
    name: "c",
    addresses: ["10.0.2.9"],
    startSeconds: 2020,
    networkSeconds: 2022,
  };
  index.pods.upsert(aPod(young), TOLD_MS + 20_000);
  for (const i of [1, 2]) {
    assert.equal(whoAnswered(index, 2_001_000), "ambiguous", `${i - 1} forgotten`);
    assert.equal(whoAt(index, A, 2_001_000), "ambiguous", `${i - 1} forgotten`);
    index.pods.remove(other(i), TOLD_MS + 20_000 + i);
  }
  assert.equal(index.counts().tombstonesDropped, 2);
  assert.equal(whoAnswered(index, 2_001_000), "ambiguous");
  assert.equal(whoAt(index, A, 2_001_000), "ambiguous");
  assert.equal(whoAt(index, A, TOLD_MS), "b", "what is certain needs no predecessor");
  assert.equal(whoAt(index, "10.0.2.9", 2_020_500), "ambiguous", "any address may have had one");
  index.expire(2_601_000);
  assert.equal(whoAt(index, "10.0.2.9", 2_020_500), "c", "they would be forgotten now all the same");
});

test("OwnerIndex.podAnswering() gives nobody where both may have been there", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  assert.equal(whoAnswered(index, 1_999_000), "ambiguous", "the predecessor's end was never told");
  index.pods.remove(aPod(), 2_100_000);
  assert.equal(whoAnswered(index, 1_999_000), "ambiguous");
  assert.equal(whoAnswered(index, TOLD_MS), "b");
});

test("OwnerIndex.podAnswering() gives nobody for three seconds after a predecessor's end: its kernel may still answer", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.pods.remove(aPod(), 1_997_500);
  index.pods.upsert(aPod(SUCCESSOR), TOLD_MS);
  assert.equal(whoAnswered(index, 2_000_499), "ambiguous");
  assert.equal(whoAnswered(index, 2_000_500), "b");
});

test("OwnerIndex.podAt() and podAnswering() give nobody for times that a late watch has not told of", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  const tell = (writtenSeconds: number, receivedMs: number) =>
    index.pods.upsert(aPod({ uid: "uid-other", addresses: ["10.0.2.9"], writtenSeconds }), receivedMs);
  index.expire(1_600_000);
  tell(1600, 1_600_200);
  index.expire(1_630_000);
  index.expire(1_630_500);
  tell(1610, 1_630_600);
  assert.deepEqual([whoAt(index, A, 1_610_000), whoAnswered(index, 1_610_000)], ["a", "a"]);
  assert.deepEqual([whoAt(index, A, 1_610_001), whoAnswered(index, 1_610_001)], ["ambiguous", "ambiguous"]);
  assert.equal(whoAt(index, "10.0.2.77", 1_630_000), "nobody");
  tell(1630, 1_630_700);
  assert.equal(whoAt(index, A, 1_630_500), "a");
});

test("OwnerIndex.podAt() gives nobody a free address while pods are not followed, and keeps those that are held", () => {
  const sync = { complete: true, pending: false, followsPods: true };
  const index = anIndex({ sync });
  list(index.pods, [aPod(), aPod({ uid: "uid-c", name: "c", addresses: ["10.0.2.7"] })], 1_500_000);
  index.pods.remove(aPod(), 1_600_000);
  assert.equal(whoAt(index, A, 1_700_000), "† a");
  sync.followsPods = false;
  assert.equal(whoAt(index, A, 1_700_000), "ambiguous", "it may be a pod's that nobody could tell of");
  assert.equal(whoAt(index, A, 1_590_000), "a");
  assert.equal(whoAt(index, "10.0.2.7", 1_700_000), "c");
  sync.followsPods = true;
  assert.equal(whoAt(index, A, 1_700_000), "† a");
});

test("OwnerIndex.podAt() gives nobody for the time in which the agent stood still, until it has run for a while", () => {
  const index = anIndex();
  list(index.pods, [aPod()], 1_500_000);
  index.expire(1_600_000);
  index.expire(1_602_000);
  assert.deepEqual([whoAt(index, A, 1_600_000), whoAt(index, A, 1_601_000)], ["a", "ambiguous"]);
  index.expire(1_602_500);
  assert.equal(whoAt(index, A, 1_601_000), "a");
});
