import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventRate } from "../../src/agent/event-rate.ts";
import { WindowedCounts } from "../../src/agent/windowed-counts.ts";

test("WindowedCounts counts segments by cause, failures and stalls, the most segments first", () => {
  const counts = new WindowedCounts();
  counts.segments("syn", 1, 0);
  counts.segments("fast", 3, 0);
  counts.segments("fast", 4, 1);
  counts.failed(1);
  counts.stalled(1.5, 1);
  const all = {
    segments: 8,
    failed: 1,
    stallSeconds: 1.5,
    causes: [
      ["fast", 7],
      ["syn", 1],
    ],
  };
  assert.deepEqual(counts.total(), all);
  assert.deepEqual(counts.recent(1), all);
  assert.deepEqual([counts.totalSize(), counts.recentSize(1)], [9, 9]);
});

test("WindowedCounts.recent() is the last ten slots, whenever it is asked and however long nothing came", () => {
  const step = fc.record({ wait: fc.nat({ max: 25 }), segments: fc.nat({ max: 9 }), look: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const counts = new WindowedCounts();
      const all: { slot: number; segments: number }[] = [];
      let slot = 0;
      for (const { wait, segments, look } of steps) {
        slot += wait;
        counts.segments("fast", segments, slot);
        all.push({ slot, segments });
        if (!look) continue;
        slot += wait;
        const expected = all
          .filter((one) => one.slot > slot - 10)
          .reduce((sum, one) => sum + one.segments, 0);
        assert.equal(counts.recent(slot).segments, expected);
        assert.equal(counts.recentSize(slot), expected);
      }
      assert.equal(
        counts.total().segments,
        all.reduce((sum, { segments }) => sum + segments, 0),
      );
    }),
  );
});

test("EventRate.perSecond() is the mean of the seconds before this one", () => {
  const rate = new EventRate();
  rate.add(50, 100);
  rate.add(50, 100);
  assert.equal(rate.perSecond(10, 100), 0, "this second is not over");
  assert.equal(rate.perSecond(10, 101), 10);
  assert.equal(rate.perSecond(10, 110), 10);
  assert.equal(rate.perSecond(10, 111), 0);
});

test("EventRate.series() has the oldest first, and forgets after 300 s", () => {
  const rate = new EventRate();
  rate.add(10, 3);
  assert.deepEqual(rate.series(5, 5).slice(-1), [2]);
  assert.equal(rate.series(5, 5).length, 59);
  rate.add(5, 290);
  const series = rate.series(5, 295);
  assert.deepEqual([series.at(0), series.at(-1)], [2, 1]);
  assert.deepEqual(new Set(rate.series(5, 1000)), new Set([0]));
});
