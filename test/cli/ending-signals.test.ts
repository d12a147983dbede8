import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { catchSignals } from "../../src/cli/ending-signals.ts";

async function send(signal: NodeJS.Signals): Promise<void> {
  const heard = once(process, signal);
  process.kill(process.pid, signal);
  await heard;
}

test("catchSignals() takes signals of the same second for one, and a later one for haste", async () => {
  using signals = catchSignals();
  assert.deepEqual([signals.first.aborted, signals.again.aborted], [false, false]);
  await send("SIGTERM");
  await send("SIGINT");
  assert.deepEqual([signals.first.aborted, signals.again.aborted], [true, false]);
  await sleep(1000);
  await send("SIGINT");
  assert.equal(signals.again.aborted, true);
});

test("catchSignals() leaves no listener behind", () => {
  const before = process.listenerCount("SIGHUP");
  const signals = catchSignals();
  assert.equal(process.listenerCount("SIGHUP"), before + 1);
  signals[Symbol.dispose]();
  assert.equal(process.listenerCount("SIGHUP"), before);
});
