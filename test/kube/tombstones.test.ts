import assert from "node:assert/strict";
import { test } from "node:test";
import { Tombstones } from "../../src/kube/tombstones.ts";

test("Tombstones.expire() forgets in order, what is old enough, and a bounded number at a time", () => {
  const tombstones = new Tombstones({ keepMs: 100, maxCount: 5000 });
  const forgotten: number[] = [];
  for (let i = 0; i < 2500; i++) tombstones.add(() => forgotten.push(i), i < 2400 ? 0 : 50);
  tombstones.expire(99);
  assert.equal(forgotten.length, 0);
  tombstones.expire(100);
  assert.equal(forgotten.length, 1000);
  for (let i = 0; i < 3; i++) tombstones.expire(149);
  assert.equal(forgotten.length, 2400);
  assert.equal(tombstones.count, 100);
  tombstones.expire(150);
  assert.deepEqual(
    forgotten,
    Array.from({ length: 2500 }, (_, i) => i),
  );
  assert.deepEqual([tombstones.count, tombstones.dropped], [0, 0]);
});

test("Tombstones.add() forgets the oldest beyond the bound, and counts it", () => {
  const tombstones = new Tombstones({ keepMs: 100, maxCount: 2 });
  const forgotten: string[] = [];
  for (const [i, name] of ["a", "b", "c", "d"].entries()) {
    assert.equal(tombstones.droppedUntilMs, i < 3 ? Number.NEGATIVE_INFINITY : 10);
    tombstones.add(() => forgotten.push(name), 10 + i);
  }
  assert.deepEqual(forgotten, ["a", "b"]);
  assert.deepEqual([tombstones.count, tombstones.dropped, tombstones.droppedUntilMs], [2, 2, 11]);
  tombstones.expire(110);
  assert.equal(tombstones.areShort, true);
  tombstones.expire(111);
  assert.equal(tombstones.areShort, false);
});
