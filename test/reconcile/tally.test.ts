import assert from "node:assert/strict";
import { test } from "node:test";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { Tally, tallyOf } from "../../src/reconcile/tally.ts";
import { event, events } from "./observations.ts";

test("Tally.add() counts events and segments of a cause, failed ones apart", () => {
  const tally = tallyOf([
    event("fast", { segments: 10 }),
    event("fast", { segments: 2 }),
    event("fast", { outcome: "failed" }),
  ]);
  assert.deepEqual(tally.cause("fast"), { sent: 2, failed: 1, segments: 12 });
  assert.deepEqual(tally.cause("timeout"), { sent: 0, failed: 0, segments: 0 });
  assert.equal(tally.segments, 12);
});

test("Tally.add() takes unknown segments for one and counts the assumption, except for a SYN", () => {
  const tally = tallyOf([
    ...events(3, "fast", { segments: undefined }),
    event("syn", { segments: undefined }),
    event("syn_ack", { segments: undefined }),
  ]);
  assert.equal(tally.segments, 5);
  assert.equal(tally.assumed, 3);
});

test("Tally.add() counts a loss probe by its outcome, and its segments only when it retransmitted", () => {
  const outcomes = ["sent", "failed", "new_data", "nothing", "unknown"] as const;
  const tally = tallyOf(outcomes.map((outcome) => event("tail_loss_probe", { outcome })));
  assert.deepEqual(
    outcomes.map((outcome) => tally.probes(outcome)),
    [1, 1, 1, 1, 1],
  );
  assert.equal(tally.segments, 1);
  assert.equal(tally.observations, 5);
});

const errnos = [
  { name: "EPERM", error: -1, counted: 1, untold: 0 },
  { name: "ENOBUFS", error: -105, counted: 1, untold: 0 },
  { name: "NET_XMIT_DROP", error: 1, counted: 1, untold: 0 },
  { name: "EAGAIN", error: -11, counted: 0, untold: 0 },
  { name: "ENOMEM", error: -12, counted: 0, untold: 0 },
  { name: "EBUSY", error: -16, counted: 0, untold: 0 },
  { name: "EINVAL", error: -22, counted: 0, untold: 0 },
  { name: "EHOSTUNREACH", error: -113, counted: 0, untold: 0 },
  { name: "no errno", error: undefined, counted: 0, untold: 1 },
];
for (const { name, error, counted, untold } of errnos) {
  test(`Tally.add() takes a SYN that failed with ${name} for ${counted} counted and ${untold} untold`, () => {
    const tally = tallyOf([event("syn", { outcome: "failed", error })]);
    assert.equal(tally.synFailuresCounted, counted);
    assert.equal(tally.synFailuresUntold, untold);
  });
}

test("Tally.addAll() adds every sum", () => {
  const part = () =>
    tallyOf([
      event("fast", { segments: 3 }),
      event("fast", { segments: undefined }),
      event("syn", { outcome: "failed" }),
      event("syn", { outcome: "failed", error: -1 }),
      event("tail_loss_probe", { outcome: "unknown" }),
      { kind: "syn_ack_timer", time: traceNanos(0), netns: 1 },
    ]);
  const sum = new Tally();
  sum.addAll(part());
  sum.addAll(part());
  assert.deepEqual(sum.cause("fast"), { sent: 4, failed: 0, segments: 8 });
  assert.equal(sum.assumed, 2);
  assert.equal(sum.synFailuresUntold, 2);
  assert.equal(sum.synFailuresCounted, 2);
  assert.equal(sum.probes("unknown"), 2);
  assert.equal(sum.synAckTimers, 2);
  assert.equal(sum.observations, 2 * part().observations);
});
