import type { NodeRecord, PodRecord, ServiceRecord } from "../../src/event/cluster.ts";
import type { EndName, Ends } from "../../src/event/end-name.ts";

export const NODE_A: NodeRecord = {
  uid: "n-a",
  name: "node-a",
  zone: "eu-1a",
  notReadySinceMs: undefined,
  cordoned: false,
  endedMs: undefined,
};
export const NODE_B: NodeRecord = { ...NODE_A, uid: "n-b", name: "node-b", zone: undefined };

export const CART: PodRecord = {
  uid: "u-1",
  namespace: "shop",
  name: "cart-7d4f9c-x2x",
  nodeName: "node-a",
  hostNetwork: false,
  workload: { kind: "Deployment", name: "cart", inferred: false },
  naming: undefined,
  containers: undefined,
  ready: true,
  readySinceMs: undefined,
  terminatingSinceMs: undefined,
  endedMs: undefined,
};
export const NIGHTLY: PodRecord = {
  ...CART,
  uid: "u-2",
  name: "nightly-29000-abcde",
  nodeName: "node-b",
  workload: { kind: "CronJob", name: "nightly", inferred: true },
};

export const PRICES: ServiceRecord = {
  uid: "s-1",
  namespace: "shop",
  name: "prices",
  noEndpointsSinceMs: undefined,
  endedMs: undefined,
};

/** An end of which nothing is known, with what a test changes. */
export function anEnd(change: Partial<EndName> = {}): EndName {
  return {
    kind: "unknown",
    name: "unknown",
    method: "none",
    pod: undefined,
    container: undefined,
    service: undefined,
    candidates: [],
    node: undefined,
    hint: undefined,
    ...change,
  };
}

export const CART_END = anEnd({
  kind: "pod",
  name: "shop/cart-7d4f9c-x2x",
  method: "cgroup",
  pod: CART,
  container: "app",
  node: NODE_A,
});

/** The pod shop/nightly-… behind the service shop/prices. */
export const PRICES_END = anEnd({
  kind: "pod",
  name: "shop/nightly-29000-abcde",
  method: "conntrack",
  pod: NIGHTLY,
  service: PRICES,
  node: NODE_B,
});

export function someEnds(peer: EndName = PRICES_END, change: Partial<Ends> = {}): Ends {
  return { ownership: "own", local: CART_END, peer, ...change };
}
