import assert from "node:assert/strict";
import { test } from "node:test";
import { type PodCounterReading, PodCounters } from "../../src/export/pod-counters.ts";

function aReading(sent: number, retransmitted: number, change: Partial<PodCounterReading> = {}) {
  return {
    netns: 4026532001,
    sent: BigInt(sent),
    retransmitted: BigInt(retransmitted),
    isWhole: false,
    ...change,
  };
}

const moves = [
  {
    name: "begins at the first reading of a namespace that is older than the agent",
    readings: [aReading(1000, 10), aReading(1500, 12)],
    moved: [
      { sent: 0, retransmitted: 0 },
      { sent: 500, retransmitted: 2 },
    ],
  },
  {
    name: "counts all of a namespace that is younger than the agent",
    readings: [aReading(1000, 10, { isWhole: true }), aReading(1500, 12)],
    moved: [
      { sent: 1000, retransmitted: 10 },
      { sent: 500, retransmitted: 2 },
    ],
  },
  {
    name: "counts all of a namespace that took the place of the one before",
    readings: [aReading(1000, 10), aReading(30, 3, { netns: 4026532002 })],
    moved: [
      { sent: 0, retransmitted: 0 },
      { sent: 30, retransmitted: 3 },
    ],
  },
  {
    name: "takes counters that went back for those of a new namespace with the same number",
    readings: [aReading(1000, 10), aReading(1200, 3)],
    moved: [
      { sent: 0, retransmitted: 0 },
      { sent: 1200, retransmitted: 3 },
    ],
  },
  {
    name: "keeps differences exact above 2^53",
    readings: [
      { ...aReading(0, 0), sent: 2n ** 63n },
      { ...aReading(0, 0), sent: 2n ** 63n + 1n },
    ],
    moved: [
      { sent: 0, retransmitted: 0 },
      { sent: 1, retransmitted: 0 },
    ],
  },
];

for (const { name, readings, moved } of moves) {
  test(`PodCounters.move() ${name}`, () => {
    const counters = new PodCounters();
    assert.deepEqual(
      readings.map((reading) => counters.move("u-1", reading)),
      moved,
    );
  });
}

test("PodCounters.podGone() forgets the pod", () => {
  const counters = new PodCounters();
  counters.move("u-1", aReading(1000, 10));
  counters.podGone("u-1");
  assert.deepEqual(counters.move("u-1", aReading(1500, 12)), { sent: 0, retransmitted: 0 });
});
