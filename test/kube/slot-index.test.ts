import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { NONE, SlotIndex } from "../../src/kube/slot-index.ts";

/** Entries whose hashes collide often: many of them share their lowest bits, some the whole hash. */
const hashOf = (entry: number) => Math.imul(entry % 400, 0x10000);

function has(index: SlotIndex, entry: number): boolean {
  for (let cell = index.first(hashOf(entry)); index.at(cell) !== NONE; cell = index.next(cell)) {
    if (index.at(cell) === entry) return true;
  }
  return false;
}

test("SlotIndex finds what was added and not taken out, whatever collides", () => {
  const steps = fc.array(fc.nat(1500), { minLength: 1, maxLength: 4000, size: "max" });
  const property = fc.property(steps, (entries) => {
    const index = new SlotIndex(hashOf);
    const model = new Set<number>();
    for (const entry of entries) {
      assert.equal(has(index, entry), model.has(entry));
      if (model.delete(entry)) index.delete(entry);
      else {
        model.add(entry);
        index.add(entry);
      }
    }
    for (let entry = 0; entry <= 1500; entry++) assert.equal(has(index, entry), model.has(entry), `${entry}`);
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 100) });
});

test("SlotIndex.delete() throws for an entry that is not there", () => {
  const index = new SlotIndex(hashOf);
  index.add(1);
  assert.throws(() => index.delete(2), RangeError);
});
