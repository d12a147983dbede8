import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RepeatLimit } from "../../src/agent/repeat-limit.ts";

test("RepeatLimit.offer() remembers a bounded number of things, those said last, and counts what it forgets", () => {
  const limit = new RepeatLimit<number>({ everyMs: 1000 });
  const offer = (i: number, nowMs: number) => limit.offer(`thing ${i}`, { value: i, nowMs });
  assert.equal(offer(0, 0), 0);
  assert.equal(offer(0, 1), undefined);
  assert.equal(offer(0, 2), undefined);
  for (let i = 1; i < 300; i++) assert.equal(offer(i, i), 0);
  assert.equal(offer(299, 300), undefined, "known");
  assert.equal(limit.forgotten, 2);
  assert.equal(offer(0, 300), 0, "forgotten, so it is said again");
});

test("RepeatLimit.drain() gives what is kept back, once", () => {
  const limit = new RepeatLimit<string>();
  limit.offer("a", { value: "A", nowMs: 0 });
  limit.offer("b", { value: "B", nowMs: 0 });
  for (let nowMs = 1; nowMs < 4; nowMs++) limit.offer("b", { value: "B", nowMs });
  assert.deepEqual(limit.drain(), [{ value: "B", repeated: 2 }], "three times, of which one is said now");
  assert.deepEqual(limit.drain(), []);
});

test("RepeatLimit says or counts each thing that it is offered, and says none twice within its time", () => {
  const step = fc.record({ key: fc.integer({ min: 0, max: 400 }), waitMs: fc.integer({ min: 0, max: 40 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 800 }), (steps) => {
      const limit = new RepeatLimit<number>({ everyMs: 100 });
      let nowMs = 0;
      let accounted = 0;
      const saidMs = new Map<number, number>();
      const said = (key: number, repeated: number) => {
        accounted += 1 + repeated;
        const before = saidMs.get(key) ?? Number.NEGATIVE_INFINITY;
        assert.ok(nowMs - before >= 100 || saidMs.size > 256, "too early");
        saidMs.set(key, nowMs);
      };
      for (const { key, waitMs } of steps) {
        nowMs += waitMs;
        for (const { value, repeated } of limit.due(nowMs)) said(value, repeated);
        const repeated = limit.offer(String(key), { value: key, nowMs });
        if (repeated !== undefined) said(key, repeated);
      }
      for (const { repeated } of limit.drain()) accounted += 1 + repeated;
      assert.equal(accounted + limit.forgotten, steps.length);
    }),
  );
});
