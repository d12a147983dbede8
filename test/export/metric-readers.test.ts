import assert from "node:assert/strict";
import { test } from "node:test";
import { MetricReaders } from "../../src/export/metric-readers.ts";

const MINUTE = 60_000;

function born(birth: number, startUnixMs = 0) {
  return { birth, startUnixMs };
}

test("MetricReaders.look() says that a series is new to each reader once", () => {
  const readers = new MetricReaders();
  assert.equal(readers.look("a", { nowUnixMs: 0, births: 1 })(born(1)), true);
  const again = readers.look("a", { nowUnixMs: MINUTE, births: 2 });
  assert.equal(again(born(1)), false);
  assert.equal(again(born(2, MINUTE)), true);
  assert.equal(readers.look("b", { nowUnixMs: MINUTE, births: 2 })(born(2, MINUTE)), true);
});

test("MetricReaders.look() shows a reader that was not there before no old series at 0: it may have had their values", () => {
  const readers = new MetricReaders();
  const isNew = readers.look("restarted", { nowUnixMs: 10 * MINUTE, births: 2 });
  assert.equal(isNew(born(1, 0)), false);
  assert.equal(isNew(born(2, 9 * MINUTE)), true);
});

test("MetricReaders.haveSeen() waits for two looks of every reader: at the 0 and at the value", () => {
  const readers = new MetricReaders();
  const look = (reader: string, nowUnixMs: number) => readers.look(reader, { nowUnixMs, births: 0 });
  look("a", 0);
  look("b", 0);
  look("b", 20_000);
  look("a", MINUTE);
  look("a", 2 * MINUTE);
  assert.equal(readers.haveSeen(30_000, 2 * MINUTE), false, "b has not come");
  look("b", 2 * MINUTE);
  assert.equal(readers.haveSeen(30_000, 2 * MINUTE), false, "b has come once");
  look("b", 3 * MINUTE);
  assert.equal(readers.haveSeen(30_000, 3 * MINUTE), true);
});

test("MetricReaders.haveSeen() does not wait for a reader that has stopped coming", () => {
  const readers = new MetricReaders();
  readers.look("once", { nowUnixMs: 0, births: 0 });
  assert.equal(readers.haveSeen(0, 4 * MINUTE), false);
  assert.equal(readers.haveSeen(0, 5 * MINUTE), true);
});

test("MetricReaders.haveSeen() does not wait for who has looked once, as a person does, while others come", () => {
  const readers = new MetricReaders();
  const look = (reader: string, nowUnixMs: number) => readers.look(reader, { nowUnixMs, births: 0 });
  for (const minute of [0, 1, 2]) look("scraper", minute * MINUTE);
  look("curious", 20_000);
  assert.equal(readers.haveSeen(30_000, 2 * MINUTE), true);
  look("curious", 2 * MINUTE);
  assert.equal(readers.haveSeen(30_000, 2 * MINUTE), false, "it does come again");
});

test("MetricReaders.haveSeen() waits five minutes where no reader ever came", () => {
  const readers = new MetricReaders();
  assert.equal(readers.haveSeen(0, 4 * MINUTE), false);
  assert.equal(readers.haveSeen(0, 5 * MINUTE), true);
});

test("MetricReaders.missed() takes a look back, and one that keeps trying is waited for a quarter of an hour", () => {
  const readers = new MetricReaders();
  const look = (minute: number) => readers.look("otlp", { nowUnixMs: minute * MINUTE, births: 0 });
  look(0);
  look(1);
  for (let minute = 2; minute < 12; minute++) {
    look(minute);
    readers.missed("otlp", minute * MINUTE);
  }
  assert.equal(
    readers.haveSeen(1.5 * MINUTE, 12 * MINUTE),
    false,
    "what ended while the receiver was away is kept",
  );
  look(12);
  assert.equal(readers.haveSeen(1.5 * MINUTE, 12 * MINUTE), false);
  look(13);
  assert.equal(readers.haveSeen(1.5 * MINUTE, 13 * MINUTE), true);
});

test("MetricReaders.missed() takes back an earlier look than the last", () => {
  const readers = new MetricReaders();
  for (const minute of [0, 1, 2]) readers.look("otlp", { nowUnixMs: minute * MINUTE, births: 0 });
  assert.equal(readers.haveSeen(0.5 * MINUTE, 2 * MINUTE), true);
  readers.missed("otlp", MINUTE);
  assert.equal(readers.haveSeen(0.5 * MINUTE, 2 * MINUTE), false);
});

test("MetricReaders.haveSeen() gives up on a receiver that takes nothing for a quarter of an hour", () => {
  const readers = new MetricReaders();
  for (let minute = 0; minute <= 15; minute++) {
    readers.look("otlp", { nowUnixMs: minute * MINUTE, births: 0 });
    readers.missed("otlp", minute * MINUTE);
  }
  assert.equal(readers.haveSeen(MINUTE, 15 * MINUTE), true);
  assert.equal(readers.haveSeen(0, 15 * MINUTE), true);
});

test("MetricReaders remembers sixteen readers, and forgets the one that has not come for the longest time", () => {
  const readers = new MetricReaders();
  readers.look("first", { nowUnixMs: 0, births: 1 });
  for (let i = 0; i < 16; i++) readers.look(`reader ${i}`, { nowUnixMs: 1, births: 1 });
  const isNew = readers.look("first", { nowUnixMs: 2, births: 1 });
  assert.equal(isNew(born(1, 1)), true, "as one that has not come before");
});
