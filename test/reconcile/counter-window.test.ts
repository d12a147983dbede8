import assert from "node:assert/strict";
import { test } from "node:test";
import { counterWindow, sumOfWindows } from "../../src/reconcile/counter-window.ts";
import type { CounterWindow } from "../../src/reconcile/identities.ts";
import { counters } from "./observations.ts";

function windowOf(...args: Parameters<typeof counterWindow>): CounterWindow {
  const window = counterWindow(...args);
  assert.ok(!("missing" in window));
  return window;
}

test("counterWindow() gives the difference of two reads and the last values", () => {
  const window = windowOf(counters({ RetransSegs: 5 }), counters({ RetransSegs: 12, TCPKeepAlive: 3 }));
  assert.equal(window.moved.RetransSegs, 7);
  assert.equal(window.life.TCPKeepAlive, 3n);
});

test("counterWindow() is exact above 2^53", () => {
  const start = { ...counters(), RetransSegs: 2n ** 63n };
  assert.equal(windowOf(start, { ...start, RetransSegs: 2n ** 63n + 1n }).moved.RetransSegs, 1);
});

test("counterWindow() starts a new namespace at zero", () => {
  assert.equal(windowOf(undefined, counters({ RetransSegs: 5 })).moved.RetransSegs, 5);
});

test("counterWindow() finds a namespace that took over another's number", () => {
  const window = counterWindow(counters({ RetransSegs: 5 }), counters({ RetransSegs: 4 }));
  assert.match("missing" in window ? window.missing : "", /replaced/);
});

test("counterWindow() leaves a counter that the kernel lacks undefined", () => {
  const lacking = { ...counters(), TCPLossProbes: undefined };
  assert.equal(windowOf(lacking, lacking).moved.TCPLossProbes, undefined);
});

test("sumOfWindows() adds up and lacks what one of them lacks", () => {
  const first = windowOf(counters(), counters({ RetransSegs: 2, TCPTimeouts: 1 }));
  const second = windowOf(counters(), { ...counters({ RetransSegs: 3 }), TCPTimeouts: undefined });
  const sum = sumOfWindows([first, second]);
  assert.equal(sum.moved.RetransSegs, 5);
  assert.equal(sum.life.RetransSegs, 5n);
  assert.equal(sum.moved.TCPTimeouts, undefined);
});
