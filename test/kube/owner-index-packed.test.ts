import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { OwnerIndex } from "../../src/kube/owner-index.ts";
import type { SlimPod } from "../../src/kube/slim.ts";
import { ADDRESSES, happen, lifePlans, type Write } from "./address-world.ts";
import { anIndex, aPod, list } from "./slim-objects.ts";

const courses = fc.record({
  plans: lifePlans,
  listsMs: fc.array(fc.nat(300_000), { minLength: 1, maxLength: 4 }),
  questions: fc.array(fc.record({ ms: fc.nat(400_000), address: fc.nat(3), beforeMs: fc.nat(9000) }), {
    minLength: 10,
    maxLength: 40,
  }),
});

test("OwnerIndex answers the same whether its pods are packed or not", () => {
  let [answered, asked] = [0, 0];
  const property = fc.property(courses, ({ plans, listsMs, questions }) => {
    const writes = happen(plans).flatMap((life) => life.writes);
    const [packing, plain] = [anIndex({ ownNode: undefined }), anIndex({ ownNode: undefined })];
    const both = (act: (index: OwnerIndex, of: (slim: SlimPod) => SlimPod) => void) => {
      act(packing, (slim) => slim);
      act(plain, unpackable);
    };
    const steps = [
      ...writes.map((write) => ({ atMs: write.atMs, run: () => both((...by) => tell(write, ...by)) })),
      ...listsMs.map((ms) => {
        const atMs = BEGAN_MS + ms;
        return { atMs, run: () => both((...by) => relist(stateAt(writes, atMs), atMs, ...by)) };
      }),
      ...questions.map(({ ms, address, beforeMs }) => ({
        atMs: BEGAN_MS + ms,
        run: () => {
          for (const agoMs of TICKS_MS) both((index) => index.expire(BEGAN_MS + ms - agoMs));
          const answers = [packing, plain].map((index) =>
            ask(index, ADDRESSES[address] ?? "", BEGAN_MS + ms - beforeMs),
          );
          assert.deepEqual(answers[0], answers[1]);
          asked++;
          if (answers[0]?.includes("held")) answered++;
        },
      })),
    ].sort((a, b) => a.atMs - b.atMs);
    for (const step of steps) step.run();
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 500) });
  assert.ok(answered > asked / 40, `${answered} of ${asked} answers had a name`);
});

const BEGAN_MS = 1e9 + 60_000;
/** An agent that is asked something is running. */
const TICKS_MS = [1200, 600, 0];

/** The same pod with a uid for which there is no room. */
function unpackable(slim: SlimPod): SlimPod {
  return { ...slim, uid: slim.uid.replace("0f3c", "0F3C") };
}

function tell({ slim, isDelete, atMs }: Write, { pods }: OwnerIndex, of: (slim: SlimPod) => SlimPod): void {
  if (isDelete) pods.remove(of(slim), atMs);
  else pods.upsert(of(slim), atMs);
}

function relist(
  living: readonly SlimPod[],
  atMs: number,
  { pods }: OwnerIndex,
  of: (slim: SlimPod) => SlimPod,
): void {
  list(pods, living.map(of), atMs);
}

function stateAt(writes: readonly Write[], atMs: number): readonly SlimPod[] {
  const states = new Map<string, Write>();
  const before = writes.filter((write) => write.atMs <= atMs).sort((a, b) => a.atMs - b.atMs);
  for (const write of before) states.set(write.slim.uid, write);
  return [...states.values()].filter(({ isDelete }) => !isDelete).map(({ slim }) => slim);
}

/** All that the index says of an address. */
function ask(index: OwnerIndex, address: string, unixMs: number): string {
  const [at, answering] = [index.podAt(address, unixMs), index.podAnswering(address, unixMs)];
  const named = [at, answering].map((each) =>
    each === undefined || each.kind === "ambiguous"
      ? each?.kind
      : [each.kind, each.pod.name, each.pod.endedMs, each.pod.ready, each.pod.readySinceMs],
  );
  const { pods, tombstones } = index.counts();
  return JSON.stringify([named, index.isClusterAddress(address), index.complete, pods, tombstones]);
}

const UID = "0f3c1f0e-6f0d-4b57-9d2c-000000000001";

test("OwnerIndex gives one and the same object for a pod from the first question on", () => {
  const index = anIndex();
  list(index.pods, [aPod({ uid: UID })], 2e6);
  const pod = index.podByUid(UID);
  index.pods.upsert(aPod({ uid: UID, ready: false, readySeconds: 1500 }), 2.1e6);
  assert.equal(pod?.ready, false);
  list(index.pods, [aPod({ uid: UID })], 2.2e6);
  assert.equal(index.podByUid(UID), pod);
  const held = index.podAt("10.0.2.5", 2.2e6);
  assert.ok(held?.kind === "held" && held.pod === pod);
});

test("OwnerIndex.podAt() knows a pod's first seconds by what was told before anybody asked", () => {
  const index = anIndex();
  list(index.pods, [aPod({ uid: UID, networkSeconds: undefined })], 1_010_000);
  index.pods.upsert(aPod({ uid: UID, networkSeconds: undefined }), 1_500_000);
  const later = aPod({ uid: UID.replace("1", "2"), name: "b", startSeconds: 1008, networkSeconds: 1009 });
  index.pods.upsert(later, 1_600_000);
  // The first was told at 1,010 s, so it had the address by then; the second began within that time.
  assert.equal(index.podAt("10.0.2.5", 1_008_000)?.kind, "ambiguous");
});
