import { OwnerIndex, type OwnerIndexOptions } from "../../src/kube/owner-index.ts";
import type { ResourceSink } from "../../src/kube/resource-sink.ts";
import type { SlimEndpointSlice, SlimNode, SlimPod, SlimService } from "../../src/kube/slim.ts";

/** A running pod on node-b with one address, started in second 1000. */
export function aPod(change: Partial<SlimPod> = {}): SlimPod {
  return {
    uid: "uid-a",
    namespace: "shop",
    name: "a",
    nodeName: "node-b",
    hostNetwork: false,
    addresses: ["10.0.2.5"],
    workload: { kind: "Deployment", name: "a", inferred: false },
    naming: undefined,
    containers: undefined,
    hostPorts: [],
    configHash: undefined,
    terminal: false,
    endsByItself: false,
    ready: true,
    readySeconds: 1005,
    startSeconds: 1000,
    networkSeconds: 1002,
    networkGoneSeconds: undefined,
    finishedSeconds: undefined,
    finished: false,
    terminatingSeconds: undefined,
    writtenSeconds: undefined,
    ...change,
  };
}

export function aService(change: Partial<SlimService> = {}): SlimService {
  return {
    uid: "uid-s",
    namespace: "shop",
    name: "s",
    createdSeconds: 900,
    clusterAddresses: ["10.96.0.10"],
    sharedAddresses: [],
    ports: [80],
    nodePorts: [],
    ...change,
  };
}

export function aSlice(change: Partial<SlimEndpointSlice> = {}): SlimEndpointSlice {
  return {
    uid: "uid-e",
    namespace: "shop",
    service: "s",
    ports: [8080],
    endpoints: [{ address: "10.0.2.5", ready: true, podUid: "uid-a" }],
    changedSeconds: undefined,
    ...change,
  };
}

export function aNode(change: Partial<SlimNode> = {}): SlimNode {
  return {
    uid: "uid-n",
    name: "node-b",
    zone: "zone-1",
    cordoned: false,
    notReadySeconds: undefined,
    addresses: ["172.16.0.2", "10.0.2.1"],
    podCidrs: ["10.0.2.0/24"],
    ownRanges: false,
    ...change,
  };
}

/** An index of a whole cluster whose lists are all in. */
export function anIndex(change: Partial<OwnerIndexOptions> = {}): OwnerIndex {
  return new OwnerIndex({
    ownNode: "node-a",
    wholeCluster: true,
    sync: { complete: true, pending: false, followsPods: true },
    ...change,
  });
}

/** A whole list, as a reflector hands it on. */
export function list<T>(sink: ResourceSink<T>, items: readonly T[], receivedMs: number): void {
  sink.replaceBegin();
  for (const item of items) sink.upsert(item, receivedMs);
  sink.replaceEnd(receivedMs);
}

/** What podAt() says, in one word: a pod's name, with a cross where it is a tombstone. */
export function whoAt(index: OwnerIndex, address: string, unixMs: number): string {
  const held = index.podAt(address, unixMs);
  if (held === undefined) return "nobody";
  if (held.kind === "ambiguous") return "ambiguous";
  return held.kind === "held" ? held.pod.name : `† ${held.pod.name}`;
}
