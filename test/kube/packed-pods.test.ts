import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PackedPods } from "../../src/kube/packed-pods.ts";
import { PodEntry } from "../../src/kube/pod-entry.ts";
import type { SlimPod } from "../../src/kube/slim.ts";
import { aPod } from "./slim-objects.ts";

const ADDRESSES = [
  ...["10.0.2.5", "10.0.2.6", "255.255.255.255", "0.0.0.1"],
  ...["fd00:10::5", "fd00:10::6", "::1", "2001:db8:1:2:3:4:5:6"],
] as const;

const slims = fc.record({
  number: fc.nat(40),
  name: fc.constantFrom(
    "a",
    "a-7d9f8b6c5d-x7k2p",
    "b",
    "a-0",
    `a${"x".repeat(23)}`,
    `a${"x".repeat(24)}`,
    "é",
  ),
  workload: fc.constantFrom("a", "b"),
  addresses: fc.uniqueArray(fc.constantFrom(...ADDRESSES), { minLength: 1, maxLength: 2 }),
  ready: fc.boolean(),
  readySeconds: fc.option(fc.constantFrom(0, 1005, 4e9, 2 ** 32 - 1, -1), { nil: undefined }),
  startSeconds: fc.option(fc.constantFrom(0, 1, 1000, 4e9), { nil: undefined }),
  endsByItself: fc.boolean(),
  hostNetwork: fc.constantFrom(false, false, false, true),
  terminatingSeconds: fc.constantFrom(undefined, undefined, undefined, 7),
});

type Draft = typeof slims extends fc.Arbitrary<infer T> ? T : never;

function entryOf({ number, workload, ...rest }: Draft): PodEntry {
  const slim: SlimPod = aPod({
    ...rest,
    uid: uidOf(number),
    workload: { kind: "Deployment", name: workload, inferred: false },
  });
  const entry = new PodEntry(slim.uid, slim.name, slim);
  entry.update(slim, slim, 1);
  entry.addresses = slim.addresses.length > 1 ? slim.addresses : slim.addresses[0];
  entry.certainMs = 1_002_500.25;
  entry.seenIn = number % 3;
  return entry;
}

function uidOf(number: number): string {
  return `ffffffff-6f0d-0b57-9d2c-${number.toString(16).padStart(12, "0")}`;
}

/** All that can be seen of a pod. */
function seen(pod: PodEntry | undefined) {
  if (pod === undefined) return undefined;
  const { uid, namespace, name, nodeName, workload, naming, hostNetwork, ready, readySinceMs } = pod;
  const { earliestMs, certainMs, lastSureMs, releasedMs, lasts, removed, seenIn, hostPorts } = pod;
  const addresses = [pod.addresses ?? []].flat().sort();
  return {
    ...{ uid, namespace, name, nodeName, workload, naming, hostNetwork, ready, readySinceMs, addresses },
    ...{ earliestMs, certainMs, lastSureMs, releasedMs, lasts, removed, seenIn, hostPorts },
  };
}

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ add: slims }) },
    { weight: 2, arbitrary: fc.record({ address: fc.constantFrom(...ADDRESSES, "10.9.9.9", "fd00::9") }) },
    { weight: 2, arbitrary: fc.record({ uid: fc.nat(45) }) },
    { weight: 1, arbitrary: fc.record({ list: fc.nat(2) }) },
  ),
  { minLength: 40, maxLength: 120, size: "max" },
);

test("PackedPods gives back each pod as it was, by any of its addresses and by uid", () => {
  let [added, tried] = [0, 0];
  const property = fc.property(steps, (todo) => {
    const packed = new PackedPods();
    const model = new Map<string, PodEntry>();
    const holderOf = (address: string) =>
      [...model.values()].find(({ addresses = [] }) => [addresses].flat().includes(address));
    const take = (pod: PodEntry | undefined, expected: PodEntry | undefined) => {
      assert.deepEqual(seen(pod), seen(expected));
      if (expected !== undefined) model.delete(expected.uid);
    };
    for (const step of todo) {
      if ("add" in step) {
        const pod = entryOf(step.add);
        const isTaken = model.has(pod.uid) || step.add.addresses.some((address) => holderOf(address));
        if (isTaken) continue;
        tried++;
        if (!packed.add(pod)) continue;
        added++;
        model.set(pod.uid, pod);
      } else if ("address" in step) {
        assert.equal(packed.hasAddress(step.address), holderOf(step.address) !== undefined);
        take(packed.takeAddress(step.address), holderOf(step.address));
      } else if ("uid" in step) {
        take(packed.takeUid(uidOf(step.uid)), model.get(uidOf(step.uid)));
      } else {
        const unseen = [...model.values()].filter(({ seenIn }) => seenIn !== step.list);
        for (const pod of packed.takeUnseen(step.list)) take(pod, model.get(pod.uid));
        for (const { uid } of unseen) assert.equal(model.has(uid), false);
      }
      assert.equal(packed.size, model.size);
    }
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 500) });
  assert.ok(added > tried / 10, `${added} of ${tried} were packed`);
});

test("PackedPods holds ten thousand pods side by side", () => {
  const packed = new PackedPods();
  const draft = { name: "a", workload: "a", ready: true, readySeconds: 0, startSeconds: 1 } as const;
  const plain = { ...draft, endsByItself: false, hostNetwork: false, terminatingSeconds: undefined };
  const addressOf = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
  for (let i = 1; i <= 10_000; i++) {
    const addresses = [addressOf(i), `fd00::${i.toString(16)}`] as unknown as (typeof ADDRESSES)[number][];
    assert.equal(packed.add(entryOf({ ...plain, number: i, addresses })), true);
  }
  for (let i = 1; i <= 10_000; i += 2) assert.equal(packed.takeAddress(addressOf(i))?.uid, uidOf(i));
  for (let i = 2; i <= 10_000; i += 2)
    assert.equal(packed.takeAddress(`fd00::${i.toString(16)}`)?.uid, uidOf(i));
  assert.equal(packed.size, 0);
});

const REFUSED: readonly (readonly [what: string, change: Partial<SlimPod>])[] = [
  ["a uid of another form", { uid: "uid-a" }],
  ["a uid in capitals", { uid: uidOf(10).toUpperCase() }],
  ["two addresses of one family", { addresses: ["10.0.2.5", "10.0.2.6"] }],
  ["0.0.0.0", { addresses: ["0.0.0.0"] }],
  ["no address", { addresses: [] }],
  ["a name that is too long", { name: "x".repeat(24) }],
  ["no start", { startSeconds: undefined }],
  ["a start before 1970", { startSeconds: 0 }],
  ["a start after 2106", { startSeconds: 2 ** 32 }],
  ["a second of readiness after 2106", { readySeconds: 2 ** 32 - 1 }],
  ["its node's network", { hostNetwork: true }],
  ["a host port", { hostPorts: [{ port: 80, address: undefined }] }],
  ["a request to end", { terminatingSeconds: 5 }],
];

for (const [what, change] of REFUSED) {
  test(`PackedPods.add() refuses a pod with ${what}`, () => {
    const slim = aPod({ uid: uidOf(1), ...change });
    const entry = new PodEntry(slim.uid, slim.name, slim);
    entry.update(slim, slim, 1);
    entry.addresses = slim.addresses;
    const packed = new PackedPods();
    assert.equal(packed.add(entry), false);
    assert.equal(packed.size, 0);
    assert.equal(packed.takeUid(slim.uid), undefined);
  });
}
