import assert from "node:assert/strict";
import { test } from "node:test";
import { type PeerParts, peerHint } from "../../src/enrich/peer-hint.ts";
import type { HintKind } from "../../src/event/end-name.ts";
import { aNode, aPod, aService, NOW_MS } from "./a-world.ts";

const AGO = NOW_MS - 14_200;
const LATER = NOW_MS + 1;
const badNode = aNode("node-b", { notReadySinceMs: AGO, cordoned: true });
const badService = aService("db", { noEndpointsSinceMs: AGO });
const notReady = { ready: false, readySinceMs: AGO };

const cases: readonly {
  readonly name: string;
  readonly parts: PeerParts;
  readonly kind: HintKind | undefined;
  readonly age?: number;
}[] = [
  {
    name: "nothing of a peer in good order",
    parts: { pod: aPod("p-1"), node: aNode("n-b") },
    kind: undefined,
  },
  { name: "nothing of nothing", parts: {}, kind: undefined },
  {
    name: "pod_deleted before all else",
    parts: {
      pod: aPod("p-1", { ...notReady, endedMs: AGO, terminatingSinceMs: AGO }),
      service: badService,
      node: badNode,
    },
    kind: "pod_deleted",
    age: 14.2,
  },
  {
    name: "pod_terminating before what follows from it",
    parts: {
      pod: aPod("p-1", { ...notReady, terminatingSinceMs: AGO, endedMs: LATER }),
      service: badService,
    },
    kind: "pod_terminating",
    age: 14.2,
  },
  {
    name: "pod_not_ready before the service's and the node's state",
    parts: { pod: aPod("p-1", notReady), service: badService, node: badNode },
    kind: "pod_not_ready",
    age: 14.2,
  },
  {
    name: "pod_not_ready of a pod that became ready after the event, since when is not known",
    parts: { pod: aPod("p-1", { readySinceMs: LATER }) },
    kind: "pod_not_ready",
  },
  {
    name: "pod_not_ready of a pod without the condition",
    parts: { pod: aPod("p-1", { ready: false, readySinceMs: undefined }) },
    kind: "pod_not_ready",
  },
  {
    name: "nothing of a pod that ceased to be ready after the event",
    parts: { pod: aPod("p-1", { ready: false, readySinceMs: LATER }) },
    kind: undefined,
  },
  {
    name: "nothing of a pod whose end was asked for after the event",
    parts: { pod: aPod("p-1", { terminatingSinceMs: LATER, endedMs: LATER }) },
    kind: undefined,
  },
  {
    name: "no_endpoints before the node's state",
    parts: { service: badService, node: badNode },
    kind: "no_endpoints",
    age: 14.2,
  },
  {
    name: "nothing of a service whose endpoints went after the event",
    parts: { service: aService("db", { noEndpointsSinceMs: LATER }) },
    kind: undefined,
  },
  {
    name: "node_not_ready before node_cordoned",
    parts: { node: badNode },
    kind: "node_not_ready",
    age: 14.2,
  },
  {
    name: "node_cordoned, since when is not told",
    parts: { node: aNode("node-b", { notReadySinceMs: LATER, cordoned: true }) },
    kind: "node_cordoned",
  },
];
for (const { name, parts, kind, age } of cases) {
  test(`peerHint() gives ${name}`, () => {
    const expected = kind === undefined ? undefined : { kind, ageSeconds: age };
    assert.deepEqual(peerHint(parts, NOW_MS), expected);
  });
}
