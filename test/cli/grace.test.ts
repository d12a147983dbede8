import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { captureRetryMs } from "../../src/cli/agent-capture.ts";
import { openGrace } from "../../src/cli/grace.ts";

/** A grace period with what begins and shortens it. */
function aGrace(graceMs: number) {
  const [ask, hurry] = [new AbortController(), new AbortController()];
  return { ask, hurry, grace: openGrace({ signal: ask.signal, hurry: hurry.signal }, graceMs) };
}

const NEVER = new Promise<void>(() => {});

test("Grace.leftMs() is 0 before the end is asked for, runs down from then, and is 0 for whoever hurries", async () => {
  const { ask, hurry, grace } = aGrace(10_000);
  assert.equal(grace.leftMs(), 0);
  ask.abort();
  const left = grace.leftMs();
  assert.ok(left > 9000 && left <= 10_000);
  await sleep(20);
  assert.ok(grace.leftMs() < left);
  hurry.abort();
  assert.equal(grace.leftMs(), 0);
});

test("Grace.within() waits for the work, and throws what it throws", async () => {
  const { ask, grace } = aGrace(60_000);
  ask.abort();
  let done = false;
  await grace.within(
    1,
    sleep(20).then(() => (done = true)),
  );
  assert.ok(done);
  await assert.rejects(grace.within(1, Promise.reject(new Error("broken"))), /broken/);
});

test("Grace.within() waits no longer than its part of the time, nor for whoever hurries", async () => {
  const short = aGrace(80);
  short.ask.abort();
  await short.grace.within(0.25, NEVER);
  await short.grace.within(1, NEVER);
  assert.ok(short.grace.leftMs() < 5, "all of it has passed, as timers tell");
  const long = aGrace(3_600_000);
  long.ask.abort();
  const waiting = long.grace.within(1, NEVER);
  long.hurry.abort();
  await waiting;
});

test("captureRetryMs() doubles from a second to a minute", () => {
  assert.deepEqual(
    [1, 2, 3, 6, 7, 8, 1000].map(captureRetryMs),
    [1000, 2000, 4000, 32_000, 60_000, 60_000, 60_000],
  );
});
