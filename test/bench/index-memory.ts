/**
 * Heap of the index per known pod, and what its look-ups take: prints one JSON object. To be run with --expose-gc. The
 * pods come as JSON text, as an API server sends them, so that whatever the index keeps of the text is counted.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { OwnerIndex } from "../../src/kube/owner-index.ts";
import { projectEndpointSlice } from "../../src/kube/project-endpoint-slice.ts";
import { projectNode } from "../../src/kube/project-node.ts";
import { podProjection } from "../../src/kube/project-pod.ts";
import { projectService } from "../../src/kube/project-service.ts";
import { nodeJson, podAddress, podJson, serviceAddress, serviceJson, sliceJson } from "./cluster-json.ts";

const PODS = 30_000;
const SERVICES = 5000;
const NODES = 1000;
const NOW = Date.parse("2026-11-22T10:00:00Z");
const ROUNDS = 1_000_000;

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
const projectPod = podProjection("node-0001");
// Code that is compiled on the way is no memory of a pod's.
fill(newIndex(), 2000);
const index = newIndex();

const bytes = {
  pod: growth(PODS, (i) => putPod(index, i)),
  service: growth(SERVICES, (i) => putService(index, i)),
  slice: growth(SERVICES, (i) => putSlice(index, i)),
  node: growth(NODES, (i) => putNode(index, i)),
};
const mib = (bytes.pod * PODS + (bytes.service + bytes.slice) * SERVICES + bytes.node * NODES) / 1024 ** 2;
const podAddresses = Array.from({ length: 4096 }, (_, i) => podAddress((i * 7) % PODS));
const serviceAddresses = Array.from({ length: 4096 }, (_, i) => serviceAddress(i % SERVICES));
const outside = Array.from({ length: 4096 }, (_, i) => `203.0.${i >> 8}.${i & 255}`);
const nanos = {
  podAt: each((i) => index.podAt(at(podAddresses, i), NOW)),
  podAndService: each((i) => {
    index.podAt(at(podAddresses, i), NOW);
    if (index.podAt(at(serviceAddresses, i), NOW) === undefined)
      index.serviceAt(at(serviceAddresses, i), 80, NOW);
  }),
  outside: each((i) => outsideEnd(at(outside, i))),
};
console.log(JSON.stringify({ counts: index.counts(), bytes, mib, nanos }));

/** What a look-up of an address outside the cluster asks, one after the other. */
function outsideEnd(address: string): boolean {
  if (index.podAt(address, NOW) !== undefined) return false;
  if (index.serviceAt(address, 443, NOW) !== undefined) return false;
  if (index.hostPortPod(address, 443, NOW) !== undefined || index.nodeAt(address) !== undefined) return false;
  return index.cidrName(address) === undefined && !index.isClusterAddress(address) && index.complete;
}

/** Bytes of heap and array buffers for each of `count` calls. */
function growth(count: number, call: (i: number) => void): number {
  collect();
  collect();
  const before = inUse();
  for (let i = 0; i < count; i++) call(i);
  collect();
  collect();
  return (inUse() - before) / count;
}

function inUse(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Nanoseconds of CPU of a call. */
function each(call: (i: number) => void): number {
  for (let i = 0; i < ROUNDS / 10; i++) call(i);
  const before = process.threadCpuUsage();
  for (let i = 0; i < ROUNDS; i++) call(i);
  const { user, system } = process.threadCpuUsage(before);
  return ((user + system) * 1000) / ROUNDS;
}

function newIndex(): OwnerIndex {
  return new OwnerIndex({
    ownNode: "node-0001",
    wholeCluster: true,
    sync: { complete: true, pending: false, followsPods: true },
    cidrNames: { "192.168.0.0/16": "office", "198.51.100.0/24": "payments" },
  });
}

function fill(target: OwnerIndex, count: number): void {
  for (let i = 0; i < count; i++) {
    for (const add of [putPod, putService, putSlice, putNode]) add(target, i);
  }
}

function putPod({ pods }: OwnerIndex, i: number): void {
  put(pods, projectPod(JSON.parse(podJson(i))));
}

function putService({ services }: OwnerIndex, i: number): void {
  put(services, projectService(JSON.parse(serviceJson(i))));
}

function putSlice({ endpointSlices }: OwnerIndex, i: number): void {
  put(endpointSlices, projectEndpointSlice(JSON.parse(sliceJson(i))));
}

function putNode({ nodes }: OwnerIndex, i: number): void {
  put(nodes, projectNode(JSON.parse(nodeJson(i))));
}

function put<T>(sink: { upsert(item: T, receivedMs: number): void }, item: T | undefined): void {
  if (item === undefined) throw new TypeError("Cannot cut an object of the list");
  sink.upsert(item, NOW);
}

function at(texts: readonly string[], i: number): string {
  return texts[i & 4095] ?? "";
}
