import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricDefinition } from "../../src/export/metric-family.ts";
import { SeriesTable, type SeriesTableOptions } from "../../src/export/series-table.ts";
import { readPoints, readValues } from "./read-points.ts";
import { CART } from "./some-ends.ts";

const MINUTE = 60_000;
const EVENTS: MetricDefinition = { name: "events", unit: "{event}", kind: "counter", description: "Events" };
const WAITS: MetricDefinition = { name: "waits", unit: "s", kind: "histogram", description: "Waits" };

/** A table at a time that a test sets, in ms. */
function aTable(options: Partial<SeriesTableOptions> = {}) {
  const clock = { nowMs: 0 };
  const table = new SeriesTable({ place: { "k8s.node.name": "node-a" }, now: () => clock.nowMs, ...options });
  return { table, clock, find: table.metric(EVENTS) };
}

/** Moves time on minute by minute, as readers and the agent do; gives the points' values of the last look. */
function pass(
  { table, clock }: Pick<ReturnType<typeof aTable>, "table" | "clock">,
  { minutes, readers = ["test"] }: { readonly minutes: number; readonly readers?: readonly string[] },
) {
  for (let i = 0; i < minutes; i++) {
    clock.nowMs += MINUTE;
    for (const reader of readers) readValues(table, "events", { nowUnixMs: clock.nowMs, reader });
    table.expire(clock.nowMs);
  }
}

test("SeriesTable.metric() gives the same series for the same attributes, with the place on each point", () => {
  const { table, find } = aTable();
  assert.equal(find({ a: "1" }), find({ a: "1" }));
  assert.notEqual(find({ a: "1" }), find({ a: "2" }));
  find({ a: "1" }).value += 3;
  const points = [...(table.collect(0, "test")[0]?.points ?? [])];
  assert.deepEqual(points[0]?.attributes, { "k8s.node.name": "node-a", a: "1" });
  assert.deepEqual(
    points.map(({ value }) => value),
    [3, 0],
  );
  assert.equal(table.size, 2);
});

test("SeriesTable.metric() counts values at a bucket's upper bound in it", () => {
  const { table } = aTable();
  const series = table.metric(WAITS, { bounds: [0.2, 0.4] })({});
  for (const wait of [0.1, 0.2, 0.3, 0.4, 0.5]) series.measure(wait);
  const value = readPoints(table, "waits").get("")?.value;
  assert.deepEqual(value, { bounds: [0.2, 0.4], counts: [2, 2, 1], sum: 1.5, exponential: undefined });
});

test("SeriesTable.metric() counts in exponential buckets as well where that is asked for", () => {
  const { table } = aTable({ exponential: true });
  const series = table.metric(WAITS, { bounds: [0.2, 0.4] })({});
  for (const wait of [0.5, 0.25]) series.measure(wait);
  const value = readPoints(table, "waits").get("")?.value;
  assert.ok(typeof value === "object" && value.exponential !== undefined);
  assert.deepEqual(value.counts, [0, 1, 1]);
  const { scale, counts } = value.exponential;
  assert.deepEqual([scale, counts.length, counts[0], counts.at(-1)], [7, 129, 1, 1]);
});

test("SeriesTable.metric() counts what has no room among a metric's series in one more, and says how often", () => {
  const { table, find } = aTable({ maxPerMetric: 2 });
  for (const a of ["1", "2", "3", "4", "1"]) find({ a }).value++;
  assert.deepEqual(readValues(table, "events"), { "a=1": 2, "a=2": 1, "otel.metric.overflow=true": 2 });
  assert.equal(table.counts.refused, 2);
  assert.equal(table.size, 2);
});

test("SeriesTable.metric() counts what has no room among all series in one more of each metric", () => {
  const { table, find } = aTable({ maxSeries: 3 });
  const findWaits = table.metric(WAITS, { bounds: [1] });
  for (const a of ["1", "2"]) find({ a }).value++;
  for (const a of ["1", "2", "3"]) findWaits({ a }).measure(1);
  find({ a: "3" }).value++;
  assert.deepEqual(readValues(table, "events"), { "a=1": 1, "a=2": 1, "otel.metric.overflow=true": 1 });
  assert.deepEqual(readValues(table, "waits"), { "a=1": 1, "otel.metric.overflow=true": 2 });
});

test("SeriesTable.expire() makes room that series find which had none", () => {
  const a = aTable({ maxPerMetric: 1, idleMs: 10 * MINUTE });
  a.find({ a: "1" }).value++;
  const before = a.table.generation;
  pass(a, { minutes: 12 });
  assert.notEqual(a.table.generation, before);
  a.find({ a: "2" }).value++;
  assert.deepEqual(readValues(a.table, "events", { nowUnixMs: a.clock.nowMs }), { "a=2": 1 });
});

test("SeriesTable.expire() ends a series in which nothing was counted for long, and one that comes back begins at 0", () => {
  const a = aTable({ idleMs: 10 * MINUTE });
  const first = a.find({ a: "1" });
  first.value = 5;
  pass(a, { minutes: 5 });
  first.value = 6;
  pass(a, { minutes: 9 });
  assert.deepEqual(readValues(a.table, "events", { nowUnixMs: a.clock.nowMs }), { "a=1": 6 });
  pass(a, { minutes: 2 });
  assert.deepEqual(readValues(a.table, "events", { nowUnixMs: a.clock.nowMs }), {});
  assert.equal(first.isOver, true);
  assert.equal(a.table.counts.idle, 1);
  const second = a.find({ a: "1" });
  assert.equal(second.value, 0);
  assert.equal(second.startUnixMs, a.clock.nowMs);
});

test("SeriesTable.expire() ends no idle series before its reader has had its last value", () => {
  const a = aTable({ idleMs: MINUTE });
  a.find({ a: "1" }).value = 5;
  a.table.collect(0, "slow");
  a.clock.nowMs = 4 * MINUTE;
  a.table.expire(a.clock.nowMs);
  assert.equal(a.table.size, 1);
});

test("SeriesTable.expire() ends no histogram in which zeroes were measured", () => {
  const a = aTable({ idleMs: 10 * MINUTE });
  const wait = a.table.metric(WAITS, { bounds: [1] })({});
  for (let i = 0; i < 5; i++) {
    wait.measure(0);
    pass(a, { minutes: 5 });
  }
  assert.equal(wait.isOver, false);
  pass(a, { minutes: 15 });
  assert.equal(wait.isOver, true);
});

test("SeriesTable.podSeen() keeps its series while the pod lives, though nothing is counted", () => {
  const a = aTable({ idleMs: 10 * MINUTE });
  a.table.podSeen(CART.uid, () => [a.find({ a: "1" }, CART)]);
  a.find({ a: "2" }, CART).value++;
  pass(a, { minutes: 30 });
  assert.deepEqual(readValues(a.table, "events", { nowUnixMs: a.clock.nowMs }), { "a=1": 0 });
});

test("SeriesTable.podSeen() asks once, and has what was found before it looked up anew", () => {
  const a = aTable();
  const { generation } = a.table;
  let asked = 0;
  const seriesOf = () => {
    asked++;
    return [];
  };
  a.table.podSeen(CART.uid, seriesOf);
  const then = a.table.generation;
  assert.notEqual(then, generation);
  a.table.podSeen(CART.uid, seriesOf);
  assert.equal(asked, 1);
  assert.equal(a.table.generation, then);
});

test("SeriesTable.podGone() lets the pod's series end when every reader has had the last of them", () => {
  const a = aTable();
  a.table.podSeen(CART.uid, () => [a.find({ a: "1" }, CART)]);
  pass(a, { minutes: 3, readers: ["fast", "slow"] });
  a.find({ a: "1" }, CART).value = 7;
  a.clock.nowMs += 1000;
  a.table.podGone(CART.uid);
  pass(a, { minutes: 2, readers: ["fast"] });
  assert.equal(a.table.size, 1, "slow has not come");
  pass(a, { minutes: 1, readers: ["fast", "slow"] });
  assert.equal(a.table.size, 1, "slow has come once");
  pass(a, { minutes: 1, readers: ["fast", "slow"] });
  assert.equal(a.table.size, 0);
  assert.equal(a.table.counts.podGone, 1);
});

test("SeriesTable.podGone() lets series stay that another living pod shares", () => {
  const a = aTable();
  const sibling = { ...CART, uid: "u-9" };
  for (const pod of [CART, sibling]) a.table.podSeen(pod.uid, () => [a.find({ workload: "cart" }, pod)]);
  a.table.podGone(CART.uid);
  pass(a, { minutes: 5 });
  assert.equal(a.table.size, 1);
  a.table.podGone(sibling.uid);
  pass(a, { minutes: 5 });
  assert.equal(a.table.size, 0);
});

test("SeriesTable goes on with a series whose pod came back under its name before it had ended", () => {
  const a = aTable();
  const again = { ...CART, uid: "u-9" };
  const series = a.find({ pod: "cart-0" });
  a.table.podSeen(CART.uid, () => [a.find({ pod: "cart-0" }, CART)]);
  series.value = 4;
  a.table.podGone(CART.uid);
  a.table.podSeen(again.uid, () => [a.find({ pod: "cart-0" }, again)]);
  pass(a, { minutes: 10 });
  assert.deepEqual(readValues(a.table, "events", { nowUnixMs: a.clock.nowMs }), { "pod=cart-0": 4 });
});

test("SeriesTable ends a series of a pod that was gone before its sockets were", () => {
  const a = aTable();
  pass(a, { minutes: 1 });
  a.find({ a: "1" }, { ...CART, endedMs: 5 }).value++;
  pass(a, { minutes: 1 });
  assert.equal(a.table.size, 1);
  pass(a, { minutes: 2 });
  assert.equal(a.table.size, 0);
});

test("SeriesTable marks a series that is about one pod with its uid, and no other", () => {
  const { table, find } = aTable();
  const findOfPod = table.metric({ ...EVENTS, name: "of pods" }, { ofPod: true });
  find({}, CART);
  findOfPod({}, CART);
  assert.equal(readPoints(table, "events").get("")?.podUid, undefined);
  assert.equal(readPoints(table, "of pods").get("")?.podUid, CART.uid);
});

test("SeriesTable.metric() leaves a series with the living pod where one of the same name before it speaks late", () => {
  const { table } = aTable();
  const find = table.metric({ ...EVENTS, name: "of pods" }, { ofPod: true });
  const before = { ...CART, endedMs: 5 };
  const after = { ...CART, uid: "u-9" };
  const owner = () => readPoints(table, "of pods").get("")?.podUid;
  find({}, before);
  assert.equal(owner(), before.uid);
  table.podSeen(after.uid, () => []);
  find({}, after);
  find({}, before);
  assert.equal(owner(), after.uid);
});

test("SeriesTable.collect() says to each reader once that a series is new", () => {
  const { table, clock, find } = aTable();
  find({ a: "1" });
  const isNew = (reader: string) =>
    readPoints(table, "events", { nowUnixMs: clock.nowMs, reader }).get("a=1")?.isNew;
  assert.deepEqual([isNew("x"), isNew("x"), isNew("y"), isNew("y")], [true, false, true, false]);
});
