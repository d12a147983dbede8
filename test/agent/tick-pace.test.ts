import assert from "node:assert/strict";
import { test } from "node:test";
import { TickPace } from "../../src/agent/tick-pace.ts";

function idle(pace: TickPace, ticks: number): void {
  for (let i = 0; i < ticks; i++) assert.equal(pace.after(0), 200);
}

test("TickPace.after() is shorter the more comes", () => {
  const pace = new TickPace();
  assert.deepEqual(
    [0, 1, 15, 16, 255, 256, 0].map((pages) => pace.after(pages)),
    [200, 100, 100, 50, 50, 20, 200],
  );
});

test("TickPace.isQuiet three seconds after the last page, and three after a rest that ended early", () => {
  const pace = new TickPace();
  idle(pace, 15);
  assert.equal(pace.isQuiet, false);
  idle(pace, 1);
  assert.equal(pace.isQuiet, true);
  pace.after(1);
  assert.equal(pace.isQuiet, false);
  idle(pace, 16);
  assert.equal(pace.isQuiet, true);
  pace.woken();
  idle(pace, 15);
  assert.equal(pace.isQuiet, false);
  idle(pace, 1);
  assert.equal(pace.isQuiet, true);
});

test("TickPace.isQuiet for nobody who wants it held", async () => {
  const pace = new TickPace();
  const { promise, resolve } = Promise.withResolvers<void>();
  const held = pace.holdUntil(promise);
  idle(pace, 100);
  assert.equal(pace.isQuiet, false);
  resolve();
  await held;
  assert.equal(pace.isQuiet, true);
});
