import assert from "node:assert/strict";
import { test } from "node:test";
import { counterWindow, type NoWindow } from "../../src/reconcile/counter-window.ts";
import { addSeen, addWindow, leaveOut, newCoverageTotals } from "../../src/reconcile/coverage-totals.ts";
import type { CounterName, CounterWindow } from "../../src/reconcile/identities.ts";
import { type Observation, Tally } from "../../src/reconcile/tally.ts";
import { counters, event, events, KPROBE } from "./observations.ts";

/** What the kernel counted in the first window of a namespace. */
function counted(values: Partial<Record<CounterName, number>>): CounterWindow {
  const window: CounterWindow | NoWindow = counterWindow(undefined, counters(values));
  assert.ok("moved" in window);
  return window;
}

function tallyOf(observations: readonly Observation[]): Tally {
  const tally = new Tally();
  for (const observation of observations) tally.add(observation);
  return tally;
}

test("addWindow() adds what was seen before the read, whatever the kernel counted", () => {
  const totals = newCoverageTotals();
  const window = { kernel: counted({ RetransSegs: 1 }), sight: KPROBE, inside: [] };
  assert.deepEqual(addWindow(totals, { ...window, tally: tallyOf(events(3, "fast")) }), []);
  assert.deepEqual(totals.segments, { seen: 3, kernel: 1 });
});

test("addWindow() takes of what ran during the read what the counters have, in the order of time", () => {
  const totals = newCoverageTotals();
  const inside = [
    event("fast", { segments: 2 }),
    event("fast", { segments: 3 }), // one more than is left
    event("fast", { segments: 2 }),
    event("fast"),
  ];
  const window = { kernel: counted({ RetransSegs: 5 }), sight: KPROBE, inside };
  assert.deepEqual(addWindow(totals, { ...window, tally: tallyOf([event("fast")]) }), [inside[1], inside[3]]);
  assert.deepEqual(totals.segments, { seen: 5, kernel: 5 });
});

test("addWindow() takes an event that ran during the read only where every quantity has room for it", () => {
  const totals = newCoverageTotals();
  const sent = event("tail_loss_probe");
  const window = { kernel: counted({ RetransSegs: 9 }), sight: KPROBE, inside: [sent, event("fast")] };
  assert.deepEqual(addWindow(totals, { ...window, tally: new Tally() }), [sent], "no probe was counted");
  assert.deepEqual(totals.segments, { seen: 1, kernel: 9 });
  assert.deepEqual(totals.lossProbes, { seen: 0, kernel: 0 });
});

test("addWindow() never takes back what failed transmissions explain beyond what the kernel counted", () => {
  const totals = newCoverageTotals();
  const kernel = counted({ RetransSegs: 1, TCPRetransFail: 3 });
  addWindow(totals, { tally: new Tally(), kernel, sight: KPROBE, inside: [] });
  assert.deepEqual(totals.segments, { seen: 0, kernel: 0 });
});

test("addSeen() adds to what was seen alone", () => {
  const totals = newCoverageTotals();
  addSeen(totals, tallyOf([event("fast", { segments: 2 }), event("tail_loss_probe")]));
  assert.deepEqual(
    [totals.segments, totals.lossProbes],
    [
      { seen: 3, kernel: 0 },
      { seen: 1, kernel: 0 },
    ],
  );
});

test("leaveOut() counts segments and namespaces, and adds to neither number", () => {
  const totals = newCoverageTotals();
  leaveOut(totals, { tally: tallyOf([event("fast", { segments: 4 })]), namespaces: 2 });
  leaveOut(totals, { tally: tallyOf([event("syn")]), namespaces: 0 });
  assert.deepEqual(totals, { ...newCoverageTotals(), namespacesLeftOut: 2, segmentsLeftOut: 5 });
});
