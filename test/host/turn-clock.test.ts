import assert from "node:assert/strict";
import { test } from "node:test";
import { turnClock } from "../../src/host/turn-clock.ts";

test("turnClock() reads the clock once in each turn", async () => {
  let ms = 0;
  const now = turnClock(() => ++ms);
  assert.deepEqual([now(), now(), now()], [1, 1, 1]);
  await null;
  assert.deepEqual([now(), now()], [2, 2]);
  await null;
  await null;
  assert.equal(ms, 2);
  assert.equal(now(), 3);
});
