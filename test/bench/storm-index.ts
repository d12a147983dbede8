import { OwnerIndex } from "../../src/kube/owner-index.ts";
import { projectEndpointSlice } from "../../src/kube/project-endpoint-slice.ts";
import { projectNode } from "../../src/kube/project-node.ts";
import { podProjection } from "../../src/kube/project-pod.ts";
import { projectService } from "../../src/kube/project-service.ts";
import { nodeJson, podJson, serviceJson, sliceJson } from "./cluster-json.ts";

const PODS = 1000;
const PODS_PER_SERVICE = 6;
const PODS_PER_NODE = 30;
const NOW = Date.parse("2026-11-22T10:00:00Z");

/** An index of a thousand pods, of which one on this node and one elsewhere have the addresses of the storm's two ends. */
export function stormIndex(ownNode: string): OwnerIndex {
  const sync = { complete: true, pending: false, followsPods: true };
  const index = new OwnerIndex({ ownNode, wholeCluster: true, sync });
  const projectPod = podProjection(ownNode);
  const onNode = Number(ownNode.split("-")[1]) * PODS_PER_NODE;
  for (let i = 0; i < PODS; i++) {
    const pod = JSON.parse(podJson(i));
    if (i === onNode) setAddress(pod, "198.18.0.1");
    if (i === onNode + PODS_PER_NODE) setAddress(pod, "198.18.0.2");
    put(index.pods, projectPod(pod));
    if (i % PODS_PER_NODE === 0) put(index.nodes, projectNode(JSON.parse(nodeJson(i / PODS_PER_NODE))));
    if (i % PODS_PER_SERVICE !== 0) continue;
    put(index.services, projectService(JSON.parse(serviceJson(i / PODS_PER_SERVICE))));
    put(index.endpointSlices, projectEndpointSlice(JSON.parse(sliceJson(i / PODS_PER_SERVICE))));
  }
  return index;
}

function setAddress(pod: { status: { podIP: string; podIPs: unknown } }, ip: string): void {
  pod.status.podIP = ip;
  pod.status.podIPs = [{ ip }];
}

function put<T>(sink: { upsert(item: T, receivedMs: number): void }, item: T | undefined): void {
  if (item === undefined) throw new TypeError("Cannot cut an object of the list");
  sink.upsert(item, NOW);
}
