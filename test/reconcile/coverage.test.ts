import assert from "node:assert/strict";
import { test } from "node:test";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { Coverage } from "../../src/reconcile/coverage.ts";
import type { CounterName } from "../../src/reconcile/identities.ts";
import type { NamespaceRead } from "../../src/reconcile/observed-window.ts";
import { sightOf } from "../../src/reconcile/sight.ts";
import { counters, event, events, KPROBE } from "./observations.ts";

const TRACEPOINT = sightOf("tracepoint", { tellsErrors: true });
const MS = 1e6;

type Values = Partial<Record<CounterName, number>>;

/** A read at a time in ms, which takes 1 ms. */
function read(netns: number, ms: number, values: Values | string = {}): NamespaceRead {
  const interval = { from: traceNanos(ms * MS), until: traceNanos((ms + 1) * MS) };
  return {
    netns,
    ...interval,
    counters: typeof values === "string" ? { missing: values } : counters(values),
  };
}

/** An event at a time in ms. */
function at(ms: number, netns = 1, segments = 1) {
  return event("fast", { time: ms * MS, netns, segments });
}

function begun(reads: readonly NamespaceRead[], sight = KPROBE): Coverage {
  const coverage = new Coverage(sight);
  coverage.hold();
  assert.ok(coverage.baseline(reads));
  return coverage;
}

function next(coverage: Coverage, reads: readonly NamespaceRead[]): readonly [seen: number, kernel: number] {
  coverage.hold();
  coverage.reading(reads);
  const { seen, kernel } = coverage.totals.segments;
  return [seen, kernel];
}

test("Coverage adds up what was seen and what the kernel counted since the first reading", () => {
  const coverage = new Coverage(KPROBE);
  coverage.observe(at(5));
  coverage.hold();
  assert.ok(coverage.baseline([read(1, 10, { RetransSegs: 7 }), read(2, 10)]));
  coverage.observe(at(20, 1, 3));
  coverage.observe(at(21, 2));
  assert.deepEqual(
    next(coverage, [read(1, 30, { RetransSegs: 10 }), read(2, 30, { RetransSegs: 1 })]),
    [4, 4],
  );
  assert.deepEqual(
    next(coverage, [read(1, 60, { RetransSegs: 12 }), read(2, 60, { RetransSegs: 1 })]),
    [4, 6],
  );
});

test("Coverage leaves failed transmissions out of what the kernel counted", () => {
  const coverage = begun([read(1, 10)]);
  coverage.observe(at(20));
  assert.deepEqual(next(coverage, [read(1, 30, { RetransSegs: 3, TCPRetransFail: 2 })]), [1, 1]);
});

test("Coverage counts loss probes that sent something", () => {
  const coverage = begun([read(1, 10)]);
  for (const outcome of ["sent", "new_data", "nothing"] as const)
    coverage.observe(event("tail_loss_probe", { outcome, time: 20 * MS }));
  next(coverage, [read(1, 30, { RetransSegs: 1, TCPLossProbes: 2 })]);
  assert.deepEqual(coverage.totals.lossProbes, { seen: 2, kernel: 2 });
});

test("Coverage gives what runs during a read to it as far as the counters have it, and else to the next one", () => {
  const coverage = begun([read(1, 10)]);
  coverage.hold();
  for (const ms of [28, 30.2, 30.5, 33]) coverage.observe(at(ms));
  coverage.reading([read(1, 30, { RetransSegs: 2 })]);
  assert.deepEqual(coverage.totals.segments, { seen: 2, kernel: 2 });
  assert.deepEqual(next(coverage, [read(1, 60, { RetransSegs: 4 })]), [4, 4]);
});

test("Coverage gives what runs during a read to it where the kernel has counted more than was seen", () => {
  const coverage = begun([read(1, 10)]);
  coverage.hold();
  for (const ms of [30.2, 31.5]) coverage.observe(at(ms));
  coverage.observe(event("tail_loss_probe", { time: 30.6 * MS }));
  coverage.reading([read(1, 30, { RetransSegs: 9, TCPLossProbes: 1 })]);
  assert.deepEqual(coverage.totals.segments, { seen: 3, kernel: 9 });
  assert.deepEqual(coverage.totals.lossProbes, { seen: 1, kernel: 1 });
});

test("Coverage has no more than the kernel counted of a namespace that ends after a read in which something ran", () => {
  const coverage = begun([read(1, 10)]);
  coverage.hold();
  coverage.observe(at(30.5));
  coverage.reading([read(1, 30)]);
  assert.deepEqual(next(coverage, []), [0, 0]);
  assert.equal(coverage.totals.segmentsLeftOut, 1);
});

test("Coverage.baseline() asks for another reading for the namespaces in which something ran", () => {
  const coverage = new Coverage(KPROBE);
  coverage.hold();
  coverage.observe(at(10.5, 1));
  coverage.observe(at(15, 2));
  assert.equal(coverage.baseline([read(1, 10, { RetransSegs: 1 }), read(2, 10, { RetransSegs: 5 })]), false);
  coverage.hold();
  coverage.observe(at(15.5, 2));
  assert.equal(coverage.baseline([read(1, 20, { RetransSegs: 1 }), read(2, 20, { RetransSegs: 7 })]), true);
  assert.deepEqual(
    next(coverage, [read(1, 30, { RetransSegs: 1 }), read(2, 30, { RetransSegs: 7 })]),
    [2, 2],
  );
});

test("Coverage counts a new namespace from its beginning", () => {
  const coverage = begun([read(1, 10)]);
  coverage.observe(at(20, 2));
  assert.deepEqual(next(coverage, [read(1, 30), read(2, 30, { RetransSegs: 1 })]), [1, 1]);
});

test("Coverage takes a namespace that is gone out of both numbers, and counts it", () => {
  const coverage = begun([read(1, 10), read(2, 10)]);
  coverage.observe(at(20, 1));
  coverage.observe(at(20, 2));
  coverage.observe(at(21, 3)); // it came after one reading and went before the next
  assert.deepEqual(next(coverage, [read(1, 30, { RetransSegs: 1 })]), [1, 1]);
  assert.equal(coverage.totals.namespacesLeftOut, 2);
  assert.equal(coverage.totals.segmentsLeftOut, 2);
  assert.deepEqual(next(coverage, [read(1, 60, { RetransSegs: 1 })]), [1, 1]);
  assert.equal(coverage.totals.namespacesLeftOut, 2, "counted once");
});

test("Coverage takes a namespace that was replaced by another of the same number out of both numbers", () => {
  const coverage = begun([read(1, 10, { RetransSegs: 9 })]);
  coverage.observe(at(20));
  assert.deepEqual(next(coverage, [read(1, 30, { RetransSegs: 2 })]), [0, 0]);
  assert.equal(coverage.totals.namespacesLeftOut, 1);
  coverage.observe(at(40));
  assert.deepEqual(next(coverage, [read(1, 60, { RetransSegs: 3 })]), [1, 1]);
});

test("Coverage catches up with a namespace that could not be read for once", () => {
  const coverage = begun([read(1, 10)]);
  coverage.observe(at(20));
  assert.deepEqual(next(coverage, [read(1, 30, "EACCES")]), [0, 0]);
  coverage.observe(at(40));
  assert.deepEqual(next(coverage, [read(1, 60, { RetransSegs: 2 })]), [2, 2]);
});

for (const sight of [KPROBE, TRACEPOINT]) {
  test(`Coverage begins where a namespace can be read at last, on the ${sight.rung} rung`, () => {
    const coverage = begun([read(1, 10, "EACCES")], sight);
    next(coverage, [read(1, 30, { RetransSegs: 1000 })]);
    assert.equal(coverage.totals.segments.kernel, 0);
    coverage.observe(at(40));
    assert.deepEqual(next(coverage, [read(1, 60, { RetransSegs: 1001 })]), [1, 1]);
  });
}

test("Coverage counts what was seen before a namespace could be read for the first time as left out", () => {
  const coverage = begun([read(1, 10, "EACCES")]);
  coverage.observe(at(20, 1, 2));
  coverage.observe(at(20, 2, 3));
  assert.deepEqual(next(coverage, [read(1, 30, "EACCES"), read(2, 30, "EACCES")]), [0, 0]);
  assert.equal(coverage.totals.segmentsLeftOut, 3, "a later reading may cover those of the other");
  coverage.observe(at(40, 1, 4));
  coverage.observe(at(40, 2, 5));
  assert.deepEqual(
    next(coverage, [read(1, 60, { RetransSegs: 6 }), read(2, 60, { RetransSegs: 8 })]),
    [0, 0],
  );
  assert.equal(coverage.totals.segmentsLeftOut, 14);
  assert.equal(coverage.totals.namespacesLeftOut, 0, "none has vanished");
  coverage.observe(at(70, 1, 1));
  assert.deepEqual(
    next(coverage, [read(1, 90, { RetransSegs: 7 }), read(2, 90, { RetransSegs: 8 })]),
    [1, 1],
  );
  assert.equal(coverage.totals.segmentsLeftOut, 14);
});

test("Coverage adds events whose namespace could not be told to what was seen", () => {
  const coverage = begun([read(1, 10)]);
  coverage.observe(event("fast", { time: 20 * MS, netns: undefined }));
  assert.deepEqual(next(coverage, [read(1, 30, { RetransSegs: 1 })]), [1, 1]);
});

test("Coverage sums all namespaces where events do not tell theirs", () => {
  const coverage = begun([read(1, 10, { RetransSegs: 5 }), read(2, 10)], TRACEPOINT);
  for (const one of events(3, "other", { time: 20 * MS, netns: undefined, segments: undefined }))
    coverage.observe(one);
  const reads = [
    read(1, 30, { RetransSegs: 6 }),
    read(2, 31, { RetransSegs: 1 }),
    read(3, 32, { RetransSegs: 1 }),
  ];
  assert.deepEqual(next(coverage, reads), [3, 3]);
});

test("Coverage leaves the time between two readings out where a namespace is gone and events do not tell theirs", () => {
  const coverage = begun([read(1, 10), read(2, 10)], TRACEPOINT);
  coverage.observe(at(20));
  coverage.observe(at(20));
  assert.deepEqual(next(coverage, [read(1, 30, { RetransSegs: 1 })]), [0, 0]);
  assert.equal(coverage.totals.namespacesLeftOut, 1);
  assert.equal(coverage.totals.segmentsLeftOut, 2);
  coverage.observe(at(40));
  assert.deepEqual(next(coverage, [read(1, 60, { RetransSegs: 2 })]), [1, 1]);
});
