import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { HashIndex } from "../../src/kube/hash-index.ts";

/** Up to four hashes of each entry; others have the same ones, and many share their lowest bits. */
const HASHES: readonly ReadonlySet<number>[] = Array.from({ length: 901 }, (_, entry) => {
  const some = Array.from({ length: entry % 5 }, (_, i) => (entry * 7 + i * i) % 300);
  return new Set(some.map((number) => Math.imul(number, 0x10000)));
});
const hashesOf = (entry: number) => HASHES[entry] ?? new Set();

test("HashIndex finds each entry by all of its hashes, and none that was taken out", () => {
  const steps = fc.array(fc.nat(900), { minLength: 1, maxLength: 2000, size: "max" });
  const property = fc.property(steps, (entries) => {
    const index = new HashIndex(hashesOf);
    const model = new Set<number>();
    for (const entry of entries) {
      if (model.delete(entry)) index.delete(entry);
      else {
        model.add(entry);
        index.add(entry);
      }
    }
    for (const entry of model) {
      for (const hash of hashesOf(entry)) {
        const found = index.candidates(hash);
        assert.ok(found.includes(entry), `${entry} is not found by ${hash}`);
        for (const other of found) assert.ok(model.has(other), `${other} is not there any more`);
      }
    }
    const count = [...model].reduce((sum, entry) => sum + hashesOf(entry).size, 0);
    assert.equal(index.count, count);
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 50) });
});

test("HashIndex keeps walks short where entries come and go", () => {
  const index = new HashIndex((entry) => new Set([entry]));
  for (let entry = 0; entry < 100_000; entry++) {
    index.add(entry);
    if (entry >= 500) index.delete(entry - 500);
  }
  const candidates = Array.from({ length: 500 }, (_, i) => index.candidates(99_999 - i).length);
  assert.ok(Math.max(...candidates) < 50, `${Math.max(...candidates)} candidates for one hash`);
});
