import assert from "node:assert/strict";
import { test } from "node:test";
import { Horizon } from "../../src/kube/horizon.ts";

const START_MS = 1_000_000;

/** A horizon that has been told the time five times a second so far. */
function aHorizon() {
  const horizon = new Horizon();
  let nowMs = START_MS;
  const pass = (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs += 200;
      horizon.tick(nowMs);
    }
  };
  pass(10_000);
  return { horizon, pass, now: () => nowMs };
}

test("Horizon.ms is Infinity while the time is told, whatever part of their second events are from, and up to a second late", () => {
  const { horizon, pass, now } = aHorizon();
  for (let i = 0; i < 1_000; i++) {
    pass(200);
    const receivedMs = now() + ((i * 37) % 200);
    const writtenMs = receivedMs - ((i * 61) % 1_000);
    horizon.told(Math.floor(writtenMs / 1000), receivedMs);
    assert.equal(horizon.ms, Infinity);
  }
});

test("Horizon.ms tells of every event that is more than two seconds late", () => {
  for (let part = 0; part < 1_000; part += 50) {
    const { horizon, pass, now } = aHorizon();
    horizon.told(now() / 1000, now() + 5);
    pass(10_000);
    horizon.told(Math.floor((now() + part - 2_010) / 1000), now() + part);
    assert.ok(horizon.ms <= now() + part - 2_010, `${part}`);
  }
});

test("Horizon.ms is the last tick before the agent stood still, until it has run for half a second", () => {
  const { horizon, pass, now } = aHorizon();
  const lastMs = now();
  horizon.tick(lastMs + 1_001);
  assert.equal(horizon.ms, lastMs);
  horizon.tick(lastMs + 1_201);
  horizon.tick(lastMs + 1_401);
  assert.equal(horizon.ms, lastMs);
  horizon.tick(lastMs + 1_501);
  assert.equal(horizon.ms, Infinity);
  pass(1_600);
  assert.equal(horizon.ms, Infinity);
});

test("Horizon.ms is Infinity after a rest that was meant, and not where it was a second longer than that", () => {
  const { horizon, now } = aHorizon();
  const lastMs = now();
  for (let second = 1; second <= 10; second++) {
    horizon.tick(lastMs + second * 1_005, 1_000);
    assert.equal(horizon.ms, Infinity);
  }
  horizon.tick(lastMs + 10_050 + 2_001, 1_000);
  assert.equal(horizon.ms, lastMs + 10_050);
});

test("Horizon.ms stays where it was while the agent stands still again and again", () => {
  const { horizon, now } = aHorizon();
  const lastMs = now();
  for (let i = 1; i < 5; i++) horizon.tick(lastMs + i * 3_000);
  assert.equal(horizon.ms, lastMs);
});

test("Horizon.ms follows the writing of events that come late, until one comes in time", () => {
  const { horizon, pass, now } = aHorizon();
  horizon.told(now() / 1000, now() + 100);
  pass(20_000);
  const seconds = now() / 1000;
  horizon.told(seconds - 15, now());
  assert.equal(horizon.ms, now() - 15_000);
  horizon.told(seconds - 10, now());
  assert.equal(horizon.ms, now() - 10_000);
  horizon.told(seconds - 1, now());
  assert.equal(horizon.ms, Infinity);
});

test("Horizon.ms is Infinity five seconds after the last event that came late", () => {
  const { horizon, pass, now } = aHorizon();
  horizon.told(now() / 1000, now() + 100);
  pass(20_000);
  horizon.told(now() / 1000 - 15, now());
  pass(4_800);
  assert.ok(horizon.ms < now());
  pass(200);
  assert.equal(horizon.ms, Infinity);
});

test("Horizon.told() takes one clock that is ahead for no measure of the others", () => {
  const { horizon, pass, now } = aHorizon();
  for (let second = 0; second < 100; second++) {
    pass(1_000);
    horizon.told(Math.floor(now() / 1000) + (second % 10 === 0 ? 10 : 0), now() + 100);
    assert.equal(horizon.ms, Infinity);
  }
});

test("Horizon.told() takes what every event is late for the clocks' difference, also after they were set", () => {
  const { horizon, pass, now } = aHorizon();
  for (const offset of [0, -30, 20]) {
    for (let second = 0; second < 700; second++) {
      pass(1_000);
      horizon.told(Math.floor(now() / 1000) + offset, now() + 100);
    }
    assert.equal(horizon.ms, Infinity, `${offset} s`);
  }
});
