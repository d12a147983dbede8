import assert from "node:assert/strict";
import { test } from "node:test";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import type { CounterName } from "../../src/reconcile/identities.ts";
import { type NamespaceRead, ObservedWindow } from "../../src/reconcile/observed-window.ts";
import { counters, event } from "./observations.ts";

function read(
  netns: number,
  [from, until]: readonly [number, number],
  values: Partial<Record<CounterName, number>> = {},
): NamespaceRead {
  return { netns, counters: counters(values), from: traceNanos(from), until: traceNanos(until) };
}

function openWindow(reads: readonly NamespaceRead[], perNamespace = true): ObservedWindow {
  const window = new ObservedWindow({ perNamespace, slackNanos: 10 });
  assert.ok(window.offer(reads));
  window.open();
  return window;
}

test("ObservedWindow counts what lies between the reads and nothing outside", () => {
  const window = new ObservedWindow({ perNamespace: true, slackNanos: 10 });
  window.observe(event("fast", { time: 50 }));
  assert.ok(window.offer([read(1, [100, 200], { RetransSegs: 7 })]));
  window.observe(event("fast", { time: 300 }));
  window.open();
  window.observe(event("fast", { time: 400 }));
  window.beginClosing();
  window.observe(event("fast", { time: 900 }));
  assert.ok(window.offer([read(1, [1000, 1100], { RetransSegs: 10 })]));
  window.observe(event("fast", { time: 1200 }));
  const [namespace] = window.close().windows;
  assert.equal(namespace?.certain.segments, 3);
  assert.equal(namespace?.maybe.segments, 0);
  assert.ok(
    namespace !== undefined && "moved" in namespace.kernel && namespace.kernel.moved.RetransSegs === 3,
  );
});

test("ObservedWindow.offer() asks for another read while an event lies within the one offered", () => {
  const window = openWindow([read(1, [100, 200])]);
  window.beginClosing();
  window.observe(event("fast", { time: 1050 }));
  assert.equal(window.offer([read(1, [1000, 1100], { RetransSegs: 99 })]), false);
  assert.equal(window.offer([read(1, [2000, 2100], { RetransSegs: 1 })]), true);
  const [namespace] = window.close().windows;
  assert.equal(namespace?.certain.segments, 1);
  assert.ok(
    namespace !== undefined && "moved" in namespace.kernel && namespace.kernel.moved.RetransSegs === 1,
  );
});

test("ObservedWindow.offer() keeps the clean read of one namespace while another is read again", () => {
  const window = openWindow([read(1, [100, 200]), read(2, [100, 200])]);
  window.beginClosing();
  window.observe(event("fast", { netns: 2, time: 1050 }));
  assert.equal(window.offer([read(1, [1000, 1100]), read(2, [1000, 1100])]), false);
  window.observe(event("fast", { netns: 1, time: 2050 }));
  assert.equal(window.offer([read(1, [2000, 2100], { RetransSegs: 1 }), read(2, [2000, 2100])]), true);
  const [first, second] = window.close().windows;
  assert.equal(first?.certain.segments, 0, "ran after the read that was kept");
  assert.ok(first !== undefined && "moved" in first.kernel && first.kernel.moved.RetransSegs === 0);
  assert.equal(second?.certain.segments, 1);
});

test("ObservedWindow gives what no quiet read could be had for as maybe", () => {
  const window = new ObservedWindow({ perNamespace: true, slackNanos: 10 });
  window.observe(event("fast", { time: 150 }));
  assert.equal(window.offer([read(1, [100, 200])]), false);
  window.open();
  window.beginClosing();
  window.observe(event("fast", { time: 1105 }));
  assert.equal(window.offer([read(1, [1000, 1100])]), false);
  const [namespace] = window.close().windows;
  assert.equal(namespace?.certain.segments, 0);
  assert.equal(namespace?.maybe.segments, 2);
});

test("ObservedWindow starts a namespace that appears at zero and counts all of its events", () => {
  const window = openWindow([read(1, [100, 200])]);
  window.observe(event("fast", { netns: 2, time: 300 }));
  window.beginClosing();
  window.offer([read(1, [1000, 1100]), read(2, [1000, 1100], { RetransSegs: 1 })]);
  const appeared = window.close().windows.find(({ netns }) => netns === 2);
  assert.equal(appeared?.certain.segments, 1);
  assert.ok(appeared !== undefined && "moved" in appeared.kernel && appeared.kernel.moved.RetransSegs === 1);
});

test("ObservedWindow names a namespace that vanished, and one that came and went, as gone", () => {
  const window = openWindow([read(1, [100, 200]), read(2, [100, 200])]);
  window.observe(event("fast", { netns: 3, time: 300 }));
  window.beginClosing();
  window.offer([read(1, [1000, 1100])]);
  const gone = window
    .close()
    .windows.filter(({ kernel }) => "missing" in kernel && kernel.missing === "namespace gone");
  assert.deepEqual(
    gone.map(({ netns }) => netns),
    [2, 3],
  );
});

test("ObservedWindow passes on why a namespace could not be read", () => {
  const missing = "Cannot read counters: EACCES";
  const unreadable = (at: number): NamespaceRead => ({ ...read(1, [at, at]), counters: { missing } });
  for (const [opens, closes] of [
    [unreadable(100), read(1, [1000, 1100])],
    [read(1, [100, 200]), unreadable(1000)],
  ] as const) {
    const window = openWindow([opens]);
    window.beginClosing();
    window.offer([closes]);
    assert.deepEqual(window.close().windows[0]?.kernel, { missing });
  }
});

test("ObservedWindow keeps events of an untold namespace apart, within the window", () => {
  const window = openWindow([read(1, [100, 200])]);
  window.observe(event("fast", { netns: undefined, time: 50 }));
  window.observe(event("fast", { netns: undefined, time: 500 }));
  window.beginClosing();
  assert.ok(window.offer([read(1, [1000, 1100])]));
  const { windows, unattributed } = window.close();
  assert.equal(unattributed.segments, 1);
  assert.equal(windows.length, 1);
});

test("ObservedWindow without namespaces sums the host and counts what is gone", () => {
  const window = openWindow([read(1, [100, 150], { RetransSegs: 5 }), read(2, [150, 200])], false);
  window.observe(event("fast", { netns: undefined, time: 500 }));
  window.beginClosing();
  window.observe(event("fast", { netns: undefined, time: 1075 }));
  const reads = [read(1, [1000, 1050], { RetransSegs: 6 }), read(3, [1100, 1200], { RetransSegs: 2 })];
  assert.equal(
    window.offer(reads),
    false,
    "an event between the reads of two namespaces is within the sum's read",
  );
  const { windows } = window.close();
  assert.equal(windows.length, 1);
  assert.equal(windows[0]?.netns, undefined);
  assert.equal(windows[0]?.certain.segments, 1);
  assert.equal(windows[0]?.maybe.segments, 1);
  assert.equal(windows[0]?.gone, 1);
  assert.ok(
    windows[0] !== undefined && "moved" in windows[0].kernel && windows[0].kernel.moved.RetransSegs === 3,
  );
});
