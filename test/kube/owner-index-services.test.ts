import assert from "node:assert/strict";
import { test } from "node:test";
import { aNode, anIndex, aPod, aService, aSlice, list } from "./slim-objects.ts";

const NOW = 1_500_000;

test("OwnerIndex.serviceAt() finds a service by ClusterIPs of both families with any port", () => {
  const index = anIndex();
  list(index.services, [aService({ clusterAddresses: ["10.96.0.10", "fd00:96::a"] })], NOW);
  assert.equal(index.serviceAt("10.96.0.10", 80, NOW)?.name, "s");
  assert.equal(index.serviceAt("fd00:96::a", 81, NOW)?.name, "s");
  assert.equal(index.serviceAt("10.96.0.11", 80, NOW), undefined);
});

test("OwnerIndex.serviceAt() tells services apart that share an external address by their ports", () => {
  const index = anIndex();
  const shared = { clusterAddresses: [], sharedAddresses: ["192.0.2.7"] };
  const [web, mail] = [
    aService({ ...shared }),
    aService({ ...shared, uid: "uid-m", name: "m", ports: [25] }),
  ];
  list(index.services, [web, mail], NOW);
  assert.equal(index.serviceAt("192.0.2.7", 80, NOW)?.name, "s");
  assert.equal(index.serviceAt("192.0.2.7", 25, NOW)?.name, "m");
  assert.equal(index.serviceAt("192.0.2.7", 443, NOW), undefined);
  assert.equal(index.isClusterAddress("192.0.2.7"), true);
});

test("OwnerIndex.serviceAt() finds a NodePort on an address of any node, and nowhere else", () => {
  const index = anIndex();
  list(index.nodes, [aNode()], NOW);
  list(index.services, [aService({ nodePorts: [30_080] })], NOW);
  assert.equal(index.serviceAt("172.16.0.2", 30_080, NOW)?.name, "s");
  assert.equal(index.serviceAt("172.16.0.2", 30_081, NOW), undefined);
  assert.equal(index.serviceAt("172.16.0.3", 30_080, NOW), undefined);
});

test("OwnerIndex.serviceAt() keeps apart a service and the one that took its ClusterIP", () => {
  const index = anIndex();
  list(index.services, [aService()], NOW);
  index.services.upsert(aService({ uid: "uid-t", name: "t", createdSeconds: 2000 }), 2_000_300);
  index.services.remove(aService(), 2_000_400);
  assert.equal(index.serviceAt("10.96.0.10", 80, 1_998_999)?.name, "s");
  assert.equal(index.serviceAt("10.96.0.10", 80, 2_000_200), undefined, "either of the two");
  assert.equal(index.serviceAt("10.96.0.10", 80, 2_000_300)?.name, "t");
  index.expire(2_000_400 + 600_000);
  assert.equal(index.counts().services, 1);
  assert.equal(index.serviceAt("10.96.0.10", 80, 2_700_000)?.name, "t");
});

test("OwnerIndex.serviceAt() gives nobody the beginning of a service whose predecessor the bound on tombstones cost", () => {
  const index = anIndex({ tombstones: { keepMs: 600_000, maxCount: 1 } });
  const other = aService({ uid: "uid-o", name: "o", clusterAddresses: ["10.96.0.11"] });
  list(index.services, [aService(), other], NOW);
  index.services.remove(aService(), 2_000_200);
  index.services.upsert(aService({ uid: "uid-t", name: "t", createdSeconds: 2000 }), 2_000_300);
  assert.equal(index.serviceAt("10.96.0.10", 80, 2_000_100), undefined);
  index.services.remove(other, 2_000_400);
  assert.equal(index.counts().tombstonesDropped, 1);
  assert.equal(index.serviceAt("10.96.0.10", 80, 2_000_100), undefined);
  assert.equal(index.serviceAt("10.96.0.10", 80, 2_000_300)?.name, "t");
});

test("OwnerIndex.serviceAt() remembers a service that is gone, and an address that it had", () => {
  const index = anIndex();
  list(index.services, [aService({ sharedAddresses: ["192.0.2.7"] })], NOW);
  index.services.upsert(aService(), 1_600_000);
  assert.equal(
    index.serviceAt("192.0.2.7", 80, 1_599_000)?.name,
    undefined,
    "it is no cluster address any more",
  );
  list(index.services, [], 1_700_000);
  const gone = index.serviceAt("10.96.0.10", 80, 1_700_001);
  assert.equal(gone?.endedMs, 1_700_000);
  index.expire(1_700_000 + 600_000);
  assert.equal(index.serviceAt("10.96.0.10", 80, 1_700_001), undefined);
  assert.equal(index.isClusterAddress("10.96.0.10"), false);
});

test("OwnerIndex.servicesOfEndpoint() gives every service with an address and port as endpoint", () => {
  const index = anIndex();
  list(index.services, [aService(), aService({ uid: "uid-t", name: "t", clusterAddresses: [] })], NOW);
  const slices = [
    aSlice(),
    aSlice({ uid: "uid-f", service: "t" }),
    aSlice({ uid: "uid-g", service: "nobody" }),
  ];
  list(index.endpointSlices, slices, NOW);
  const names = (port: number) => index.servicesOfEndpoint("10.0.2.5", port).map(({ name }) => name);
  assert.deepEqual(names(8080), ["s", "t"]);
  assert.deepEqual(names(9090), []);
  index.endpointSlices.upsert(aSlice({ uid: "uid-f", service: "t", endpoints: [] }), NOW + 1);
  assert.deepEqual(names(8080), ["s"]);
  index.endpointSlices.remove(aSlice(), NOW + 2);
  assert.deepEqual(names(8080), []);
});

test("OwnerIndex.servicesOfEndpoint() takes a slice without a port number as one of every port", () => {
  const index = anIndex();
  list(index.services, [aService()], NOW);
  list(index.endpointSlices, [aSlice({ ports: undefined })], NOW);
  assert.equal(index.servicesOfEndpoint("10.0.2.5", 1)[0]?.name, "s");
});

test("OwnerIndex.endpointPod() tells pods on a node's network apart by their ports", () => {
  const index = anIndex();
  const onNode = { hostNetwork: true, addresses: ["172.16.0.2"] };
  list(index.pods, [aPod(onNode), aPod({ ...onNode, uid: "uid-b", name: "b" })], NOW);
  const endpoint = (podUid: string | undefined) => ({ address: "172.16.0.2", ready: true, podUid });
  const slice = aSlice({ endpoints: [endpoint("uid-a")] });
  const other = aSlice({ uid: "uid-f", service: "t", ports: [9100], endpoints: [endpoint("uid-b")] });
  list(index.endpointSlices, [slice, other], NOW);
  assert.equal(index.endpointPod("172.16.0.2", 8080, NOW)?.name, "a");
  assert.equal(index.endpointPod("172.16.0.2", 9100, NOW)?.name, "b");
  assert.equal(index.endpointPod("172.16.0.2", 9200, NOW), undefined);
  assert.equal(index.endpointPod("172.16.0.2", 8080, 998_000), undefined, "before the pod began");
  index.endpointSlices.upsert({ ...other, ports: [8080] }, NOW + 1);
  assert.equal(index.endpointPod("172.16.0.2", 8080, NOW), undefined, "either of the two");
  index.endpointSlices.upsert(
    { ...other, ports: [8080], endpoints: [endpoint("uid-a"), endpoint(undefined)] },
    NOW + 2,
  );
  assert.equal(index.endpointPod("172.16.0.2", 8080, NOW)?.name, "a", "in two services, one pod");
});

test("ServiceRecord.noEndpointsSinceMs tells since when none of a service's endpoints is ready, over its slices", () => {
  const index = anIndex();
  list(index.services, [aService()], NOW);
  const since = () => index.serviceAt("10.96.0.10", 80, NOW)?.noEndpointsSinceMs;
  assert.equal(since(), undefined, "nothing is known of its endpoints");
  const notReady = { address: "10.0.2.6", ready: false, podUid: "uid-b" };
  list(index.endpointSlices, [aSlice(), aSlice({ uid: "uid-f", endpoints: [notReady] })], NOW);
  assert.equal(since(), undefined);
  index.endpointSlices.upsert(aSlice({ endpoints: [] }), NOW + 1000);
  assert.equal(since(), NOW + 1000);
  index.endpointSlices.upsert(aSlice({ endpoints: [notReady] }), NOW + 2000);
  assert.equal(since(), NOW + 1000);
  index.endpointSlices.upsert(
    aSlice({ uid: "uid-f", endpoints: [{ ...notReady, ready: true }] }),
    NOW + 3000,
  );
  assert.equal(since(), undefined);
  list(index.endpointSlices, [], NOW + 4000);
  assert.equal(since(), NOW + 4000);
});

test("ServiceRecord.noEndpointsSinceMs goes by the slice's own time where it was empty from the first list on", () => {
  const index = anIndex();
  list(index.services, [aService()], NOW);
  list(index.endpointSlices, [aSlice({ endpoints: [], changedSeconds: 1400 })], NOW);
  assert.equal(index.serviceAt("10.96.0.10", 80, NOW)?.noEndpointsSinceMs, 1_400_000);
});

test("OwnerIndex.endpointSlices moves a slice from a service to another", () => {
  const index = anIndex();
  list(
    index.services,
    [aService(), aService({ uid: "uid-t", name: "t", clusterAddresses: ["10.96.0.11"] })],
    NOW,
  );
  list(index.endpointSlices, [aSlice()], NOW);
  index.endpointSlices.upsert(aSlice({ service: "t" }), NOW + 1);
  assert.equal(index.serviceAt("10.96.0.10", 80, NOW)?.noEndpointsSinceMs, NOW + 1);
  assert.equal(index.serviceAt("10.96.0.11", 80, NOW)?.noEndpointsSinceMs, undefined);
  assert.deepEqual(
    index.servicesOfEndpoint("10.0.2.5", 8080).map(({ name }) => name),
    ["t"],
  );
});

test("OwnerIndex.endpointSlices forgets what it knew of a service without slices", () => {
  const index = anIndex();
  list(index.services, [aService()], NOW);
  list(index.endpointSlices, [aSlice()], NOW);
  list(index.endpointSlices, [], NOW + 1);
  index.expire(NOW + 1 + 600_000);
  assert.equal(index.serviceAt("10.96.0.10", 80, NOW)?.noEndpointsSinceMs, undefined);
  assert.equal(index.counts().endpointAddresses, 0);
});
