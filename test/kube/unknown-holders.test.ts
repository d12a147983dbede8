import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hold } from "../../src/kube/address-intervals.ts";
import { Horizon } from "../../src/kube/horizon.ts";
import { PodEntry } from "../../src/kube/pod-entry.ts";
import { Tombstones } from "../../src/kube/tombstones.ts";
import { UnknownHolders } from "../../src/kube/unknown-holders.ts";
import { WaitingPods } from "../../src/kube/waiting-pods.ts";
import { aPod } from "./slim-objects.ts";

/** A hold that certainly began at 1,003 s, its pod having started at 1,000 s; it goes on as far as is told. */
function aHold(pod: PodEntry, change: Partial<Hold<PodEntry>> = {}): Hold<PodEntry> {
  const times = { earliestMs: 1_000_000, certainMs: 1_003_000, lastSureMs: 0, releasedMs: undefined };
  return { holder: pod, ...times, lasts: true, ...change };
}

function entry(change: Parameters<typeof aPod>[0] = {}): PodEntry {
  const slim = aPod(change);
  const pod = new PodEntry(slim.uid, slim.name, slim);
  pod.update(slim, slim, 0);
  return pod;
}

/** What is gone is kept for 60 s, three of it at most; addresses are told within 20 s. It is 2,000 s. */
function setUp({ nowMs = 2_000_000, isNewest = true } = {}) {
  const tombstones = new Tombstones({ keepMs: 60_000, maxCount: 3 });
  const [horizon, waiting] = [new Horizon(), new WaitingPods()];
  const holds = { isNewest: () => isNewest };
  const unknown = new UnknownHolders({ tombstones, statusLagMs: 20_000, horizon, waiting, holds });
  unknown.advance(nowMs);
  /** Buries so many, of which all but three have to make room. */
  const bury = (count: number, atMs: number) => {
    for (let i = 0; i < count; i++) tombstones.add(() => undefined, atMs);
  };
  return { unknown, horizon, waiting, bury };
}

test("UnknownHolders.any() finds none for a hold that lasts, before and after now", () => {
  const { unknown, bury } = setUp();
  bury(4, 1_999_000);
  for (const unixMs of [1_003_000, 1_990_000, 2_000_500])
    assert.equal(unknown.any(aHold(entry()), unixMs), false);
});

test("UnknownHolders.any() finds one beyond what the watch is known to have told", () => {
  const { unknown, horizon } = setUp();
  horizon.tick(1_990_000);
  horizon.tick(1_995_000); // it did not run for five seconds
  assert.equal(unknown.any(aHold(entry()), 1_990_000), false);
  assert.equal(unknown.any(aHold(entry()), 1_990_001), true);
});

test("UnknownHolders.forgotten() finds one since a hold was let go of so long ago that its successor's may be forgotten", () => {
  const { unknown } = setUp();
  const released = (releasedMs: number) => aHold(entry(), { releasedMs, lasts: false });
  assert.equal(unknown.forgotten(released(1_960_000), 1_995_000), false);
  assert.equal(unknown.forgotten(released(1_959_999), 1_995_000), true, "told 20 s late, kept 60 s");
});

test("UnknownHolders.forgotten() finds one since a hold was let go of where others had to make room since", () => {
  const { unknown, bury } = setUp();
  const released = (releasedMs: number) => aHold(entry(), { releasedMs, lasts: false });
  bury(4, 1_970_000);
  assert.equal(unknown.forgotten(released(1_980_001), 1_995_000), false);
  assert.equal(unknown.forgotten(released(1_980_000), 1_995_000), true, "an end may be told 10 s after it");
});

test("UnknownHolders.forgotten() finds one before a hold certainly began where its predecessor may be forgotten", () => {
  const early = { earliestMs: 1_950_001, certainMs: 1_960_000 };
  const { unknown, bury } = setUp();
  assert.equal(unknown.forgotten(aHold(entry(), early), 1_955_000), false);
  assert.equal(unknown.forgotten(aHold(entry(), { ...early, earliestMs: 1_950_000 }), 1_955_000), true);
  bury(4, 1_999_000);
  assert.equal(unknown.forgotten(aHold(entry(), early), 1_955_000), true, "one had to make room");
});

test("UnknownHolders.forgotten() finds one of those that made room while a hold may have been let go of", () => {
  const { unknown, bury } = setUp();
  bury(4, 1_970_000);
  const open = aHold(entry(), { lasts: false, lastSureMs: 1_975_000 });
  assert.equal(unknown.forgotten(open, 1_974_999), false, "it still lasted");
  assert.equal(unknown.forgotten(open, 1_980_000), true);
  assert.equal(unknown.forgotten(open, 1_980_001), false);
});

test("UnknownHolders.any() finds a pod that waits for its address on the node of one that may be over", () => {
  const { unknown, waiting } = setUp();
  const over = aHold(entry(), { releasedMs: 1_990_000, lasts: false });
  assert.equal(unknown.any(over, 1_995_000), false);
  waiting.note(entry({ uid: "uid-w", startSeconds: 1_992 }), true);
  assert.equal(unknown.any(over, 1_991_999), false, "it had not started");
  assert.equal(unknown.any(over, 1_992_000), true);
  assert.equal(unknown.any(aHold(entry()), 1_992_000), false, "this one is not over");
  const elsewhere = aHold(entry({ nodeName: "node-c" }), { releasedMs: 1_990_000, lasts: false });
  assert.equal(unknown.any(elsewhere, 1_992_000), false, "nor on that node");
});

test("UnknownHolders.any() finds no waiting pod at a time of which its kubelet must have told", () => {
  const { unknown, waiting } = setUp();
  waiting.note(entry({ uid: "uid-w", startSeconds: 1_900 }), true);
  const over = aHold(entry(), { releasedMs: 1_970_000, lasts: false });
  assert.equal(unknown.any(over, 1_979_999), false);
  assert.equal(unknown.any(over, 1_980_000), true);
});

test("UnknownHolders.any() finds no waiting pod behind a hold that another is known to have followed", () => {
  for (const isNewest of [true, false]) {
    const { unknown, waiting } = setUp({ isNewest });
    waiting.note(entry({ uid: "uid-w", startSeconds: 1_900 }), true);
    const over = aHold(entry(), { releasedMs: 1_985_000, lasts: false });
    assert.equal(unknown.any(over, 1_990_000, { address: "10.0.2.5" }), isNewest);
    assert.equal(unknown.any(over, 1_990_000), true, "whoever followed is left out of account");
  }
});

test("UnknownHolders.any() finds a waiting pod that may be over before a hold certainly began", () => {
  const { unknown, waiting } = setUp();
  const early = aHold(entry(), { earliestMs: 1_985_000, certainMs: 1_995_000 });
  waiting.note(entry({ uid: "uid-w", startSeconds: 1_900 }), true);
  assert.equal(unknown.any(early, 1_990_000), false, "it would have told before it goes");
  waiting.note(entry({ uid: "uid-x", startSeconds: 1_900, endsByItself: true }), true);
  assert.equal(unknown.any(early, 1_990_000), true);
  assert.equal(unknown.any(early, 1_995_000), false);
});

test("UnknownHolders.advance() never goes back", () => {
  const { unknown } = setUp();
  unknown.advance(1_000_000);
  assert.equal(unknown.forgotten(aHold(entry(), { releasedMs: 1_959_999, lasts: false }), 1_995_000), true);
});
