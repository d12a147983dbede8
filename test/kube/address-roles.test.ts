import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressRoles, ROLE } from "../../src/kube/address-roles.ts";
import type { OwnerIndex } from "../../src/kube/owner-index.ts";
import type { ResourceSink } from "../../src/kube/resource-sink.ts";
import { aNode, anIndex, aPod, aService, aSlice, list } from "./slim-objects.ts";

const ADDRESSES = ["10.0.2.5", "10.96.0.10", "203.0.113.7", "fd00::5", "2001:db8::7"] as const;
const PORT = 80;
/** Short, so that a course outlasts what it buries. */
const TOMBSTONES = { keepMs: 5_000, maxCount: 1 };
const BEGAN_MS = 2e6;

const address = fc.constantFrom(...ADDRESSES);
const number = fc.nat(1);
const cidrs = fc.array(
  address.map((base) => `${base}/${base.includes(":") ? 64 : 24}`),
  { maxLength: 1 },
);
const change = fc.oneof(
  fc.record({ of: fc.constant("pod" as const), number, address, hostNetwork: fc.boolean() }),
  fc.record({
    of: fc.constant("service" as const),
    number,
    address,
    isShared: fc.boolean(),
    hasNodePort: fc.boolean(),
  }),
  fc.record({ of: fc.constant("slice" as const), number, address, ready: fc.boolean() }),
  fc.record({ of: fc.constant("node" as const), number, address, cidrs }),
  fc.record({ of: fc.constant("serviceCidr" as const), number, cidrs }),
);
const step = fc.record({
  change,
  how: fc.constantFrom("upsert" as const, "remove" as const, "list" as const, "expire" as const),
  afterMs: fc.nat(4_000),
  asked: fc.array(address, { maxLength: 2 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

test("OwnerIndex that is asked all the while answers as one that is asked for the first time", () => {
  let [nobodys, somebodys] = [0, 0];
  const property = fc.property(fc.array(step, { minLength: 2, maxLength: 16 }), (steps) => {
    const asked = anIndex({ tombstones: TOMBSTONES });
    let nowMs = BEGAN_MS;
    for (const [i, each] of steps.entries()) {
      nowMs += each.afterMs;
      take(asked, each, nowMs);
      const fresh = anIndex({ tombstones: TOMBSTONES });
      replay(fresh, steps.slice(0, i + 1));
      for (const address of [...each.asked, ...ADDRESSES]) {
        const answer = ask(asked, address, nowMs);
        assert.deepEqual(answer, ask(fresh, address, nowMs));
        if (answer.isCluster) somebodys++;
        else nobodys++;
      }
    }
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 300) });
  assert.ok(nobodys > 100 && somebodys > 100, `${nobodys} nobody's, ${somebodys} somebody's`);
});

function replay(index: OwnerIndex, steps: readonly Step[]): void {
  let nowMs = BEGAN_MS;
  for (const each of steps) {
    nowMs += each.afterMs;
    take(index, each, nowMs);
  }
}

function take(index: OwnerIndex, { change, how }: Step, nowMs: number): void {
  const uid = `0f3c1f0e-6f0d-4b57-9d2c-00000000000${change.number}`;
  const name = `n${change.number}`;
  const put = <T>(sink: ResourceSink<T>, item: T) => tell(sink, { item, how, nowMs });
  if (how === "expire") index.expire(nowMs);
  else if (change.of === "pod") {
    const { address, hostNetwork } = change;
    put(index.pods, aPod({ uid, name, addresses: [address], hostNetwork }));
  } else if (change.of === "service") {
    const [own, shared] = change.isShared ? [[], [change.address]] : [[change.address], []];
    const nodePorts = change.hasNodePort ? [PORT] : [];
    put(index.services, aService({ uid, name, clusterAddresses: own, sharedAddresses: shared, nodePorts }));
  } else if (change.of === "slice") {
    const endpoints = [{ address: change.address, ready: change.ready, podUid: uid }];
    put(index.endpointSlices, aSlice({ uid, service: name, endpoints }));
  } else if (change.of === "node") {
    put(index.nodes, aNode({ uid, name, addresses: [change.address], podCidrs: change.cidrs }));
  } else put(index.serviceCidrs, { uid, cidrs: change.cidrs });
}

interface Telling<T> {
  readonly item: T;
  readonly how: Step["how"];
  readonly nowMs: number;
}

function tell<T>(sink: ResourceSink<T>, { item, how, nowMs }: Telling<T>): void {
  if (how === "remove") sink.remove(item, nowMs);
  else if (how === "list") list(sink, [item], nowMs);
  else sink.upsert(item, nowMs);
}

/** All that depends on what an address is. */
function ask(index: OwnerIndex, address: string, nowMs: number) {
  const at = index.podAt(address, nowMs);
  return {
    pod: at === undefined || at.kind === "ambiguous" ? at?.kind : `${at.kind} ${at.pod.name}`,
    service: index.serviceAt(address, PORT, nowMs)?.name,
    noneReadySince: index.serviceAt(address, PORT, nowMs)?.noEndpointsSinceMs,
    node: index.nodeAt(address)?.name,
    isCluster: index.isClusterAddress(address),
  };
}

test("AddressRoles keeps what it found until it is told to forget, and never too many", () => {
  const found: string[] = [];
  const roles = new AddressRoles((address) => {
    found.push(address);
    return ROLE.node;
  });
  for (const address of ["a", "b", "a", "a"]) assert.equal(roles.of(address), ROLE.node);
  assert.deepEqual(found, ["a", "b"]);
  roles.clear();
  roles.of("a");
  assert.deepEqual(found, ["a", "b", "a"]);
  for (let i = 0; i < 4096; i++) roles.of(`c${i}`);
  roles.of("a");
  assert.equal(found.at(-1), "a");
});
