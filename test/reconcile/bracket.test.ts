import assert from "node:assert/strict";
import { test } from "node:test";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { hullOf, placeOf, positionOf, READ_SLACK_NANOS } from "../../src/reconcile/bracket.ts";

const read = (from: number, until: number) => ({ from: traceNanos(from), until: traceNanos(until) });

const positions = [
  { time: 899, expected: "before" },
  { time: 900, expected: "inside" },
  { time: 1500, expected: "inside" },
  { time: 2100, expected: "inside" },
  { time: 2101, expected: "after" },
] as const;
for (const { time, expected } of positions) {
  test(`positionOf() gives ${expected} at ${time} of a read from 1000 to 2000 with a slack of 100`, () => {
    assert.equal(positionOf(traceNanos(time), read(1000, 2000), 100), expected);
  });
}

test("positionOf() allows for a millisecond between counter and record", () => {
  assert.equal(positionOf(traceNanos(5e6 - READ_SLACK_NANOS), read(5e6, 6e6)), "inside");
  assert.equal(positionOf(traceNanos(5e6 - READ_SLACK_NANOS - 1), read(5e6, 6e6)), "before");
});

const window = { opens: read(1000, 2000), closes: read(5000, 6000) };
const places = [
  { name: "before the first read", time: 800, bracket: window, expected: "outside" },
  { name: "in the first read", time: 1500, bracket: window, expected: "maybe" },
  { name: "between", time: 3000, bracket: window, expected: "certain" },
  { name: "in the last read", time: 5500, bracket: window, expected: "maybe" },
  { name: "after the last read", time: 6200, bracket: window, expected: "outside" },
  {
    name: "early in a new namespace",
    time: 1,
    bracket: { ...window, opens: undefined },
    expected: "certain",
  },
  {
    name: "late in one that is gone",
    time: 9999,
    bracket: { ...window, closes: undefined },
    expected: "certain",
  },
] as const;
for (const { name, time, bracket, expected } of places) {
  test(`placeOf() gives ${expected} ${name}`, () => {
    assert.equal(placeOf(traceNanos(time), bracket, 100), expected);
  });
}

test("hullOf() holds every read, and is undefined without one", () => {
  assert.deepEqual(hullOf([read(5, 6), read(1, 2), read(4, 9)]), read(1, 9));
  assert.equal(hullOf([]), undefined);
});
