import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { projectEndpointSlice } from "../../src/kube/project-endpoint-slice.ts";
import { projectNode } from "../../src/kube/project-node.ts";
import { podProjection } from "../../src/kube/project-pod.ts";
import { projectService } from "../../src/kube/project-service.ts";
import { projectServiceCidr } from "../../src/kube/project-service-cidr.ts";
import { nodeJson, podJson, serviceJson, sliceJson } from "../bench/cluster-json.ts";
import { anIndex, list } from "./slim-objects.ts";

const METADATA = { uid: "u", namespace: "shop", name: "s", creationTimestamp: "1970-01-01T00:15:00Z" };

test("projectService() keeps addresses of both families and TCP ports", () => {
  const service = projectService({
    metadata: METADATA,
    spec: {
      type: "LoadBalancer",
      clusterIP: "10.96.0.10",
      clusterIPs: ["10.96.0.10", "FD00:96::A"],
      externalIPs: ["192.0.2.8"],
      ports: [
        { port: 80, nodePort: 30_080, protocol: "TCP" },
        { port: 53, nodePort: 30_053, protocol: "UDP" },
        { port: 443 },
      ],
    },
    status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }, { hostname: "lb.example" }] } },
  });
  assert.deepEqual(service, {
    uid: "u",
    namespace: "shop",
    name: "s",
    createdSeconds: 900,
    clusterAddresses: ["10.96.0.10", "fd00:96::a"],
    sharedAddresses: ["192.0.2.7", "192.0.2.8"],
    ports: [80, 443],
    nodePorts: [30_080],
  });
});

test("projectService() gives a headless service no address", () => {
  const spec = { clusterIP: "None", clusterIPs: ["None"], ports: [{ port: 80 }] };
  assert.deepEqual(projectService({ metadata: METADATA, spec })?.clusterAddresses, []);
});

test("projectEndpointSlice() takes an endpoint without conditions as ready and one without a pod as it is", () => {
  const slice = projectEndpointSlice({
    metadata: {
      ...METADATA,
      labels: { "kubernetes.io/service-name": "web" },
      annotations: { "endpoints.kubernetes.io/last-change-trigger-time": "1970-01-01T00:20:00Z" },
    },
    ports: [
      { port: 8080, protocol: "TCP" },
      { port: 53, protocol: "UDP" },
    ],
    endpoints: [
      { addresses: ["10.0.2.5"], conditions: { ready: false }, targetRef: { kind: "Pod", uid: "p" } },
      { addresses: ["10.0.2.6"] },
      { addresses: ["lb.example"] },
      {
        addresses: ["10.0.2.7"],
        conditions: { ready: null },
        targetRef: { kind: "VirtualMachine", uid: "v" },
      },
    ],
  });
  assert.deepEqual(slice, {
    uid: "u",
    namespace: "shop",
    service: "web",
    ports: [8080],
    endpoints: [
      { address: "10.0.2.5", ready: false, podUid: "p" },
      { address: "10.0.2.6", ready: true, podUid: undefined },
      { address: "10.0.2.7", ready: true, podUid: undefined },
    ],
    changedSeconds: 1200,
  });
});

test("projectEndpointSlice() tells every port from none", () => {
  const metadata = { ...METADATA, labels: { "kubernetes.io/service-name": "web" } };
  assert.equal(projectEndpointSlice({ metadata, ports: [{ protocol: "TCP" }] })?.ports, undefined);
  assert.deepEqual(projectEndpointSlice({ metadata, ports: null })?.ports, []);
  assert.equal(projectEndpointSlice({ metadata: METADATA, ports: [] }), undefined);
});

test("projectServiceCidr() keeps the ranges", () => {
  const range = { metadata: METADATA, spec: { cidrs: ["10.96.0.0/16", "fd00:96::/112"] } };
  assert.deepEqual(projectServiceCidr(range), { uid: "u", cidrs: ["10.96.0.0/16", "fd00:96::/112"] });
});

/** Any JSON, and real objects with any JSON in some of their places. */
const real = [podJson(1), serviceJson(1), sliceJson(1), nodeJson(1)].map((text) => JSON.parse(text));
const spoiled = fc
  .tuple(fc.constantFrom(...real), fc.array(fc.tuple(fc.nat(), fc.jsonValue()), { maxLength: 4 }))
  .map(([object, changes]) => {
    const copy = structuredClone(object);
    for (const [place, value] of changes) spoil(copy, place, value);
    return copy as unknown;
  });

test("Projections never throw, nor does the index on what they give", () => {
  const projectPod = podProjection("node-0000");
  const property = fc.property(fc.array(fc.oneof(fc.jsonValue(), spoiled), { maxLength: 6 }), (objects) => {
    const index = anIndex();
    const given = <T>(project: (object: unknown) => T | undefined) =>
      objects.map(project).filter((item) => item !== undefined);
    for (const receivedMs of [1000, 2000]) {
      list(index.pods, given(projectPod), receivedMs);
      list(index.services, given(projectService), receivedMs);
      list(index.endpointSlices, given(projectEndpointSlice), receivedMs);
      list(index.nodes, given(projectNode), receivedMs);
      list(index.serviceCidrs, given(projectServiceCidr), receivedMs);
    }
    for (const pod of given(projectPod)) index.pods.remove(pod, 3000);
    index.expire(1e9);
    assert.ok(index.counts().tombstones === 0);
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 1000) });
});

/** Puts a value in some place of an object, counted over all of its members. */
function spoil(object: object, place: number, value: unknown): void {
  const places: (() => void)[] = [];
  const walk = (at: Record<string, unknown>) => {
    for (const key of Object.keys(at)) {
      places.push(() => {
        at[key] = value;
      });
      const member = at[key];
      if (typeof member === "object" && member !== null) walk(member as Record<string, unknown>);
    }
  };
  walk(object as Record<string, unknown>);
  places[place % places.length]?.();
}
