import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { NodeCounters } from "../../src/cli/node-counters.ts";
import type { PodCounterReading } from "../../src/export/pod-counters.ts";
import { sightOf } from "../../src/reconcile/sight.ts";

const OWN = Number(/\d+/.exec(readlinkSync("/proc/self/ns/net"))?.[0]);

/** Counters of this process's network namespace, as if it were a pod's. */
function counted(): { counters: NodeCounters; readings: PodCounterReading[] } {
  const readings: PodCounterReading[] = [];
  const counters = new NodeCounters({
    ...{ procRoot: "/proc", libc: undefined },
    podOf: (netns) => (netns === OWN ? "uid-1" : undefined),
    podCounters: (_uid, reading) => readings.push(reading),
  });
  return { counters, readings };
}

function seenBy({ coverage }: NodeCounters): number | undefined {
  return coverage?.totals.segments.seen;
}

function sight() {
  return { ...sightOf("tracepoint", { tellsErrors: true }), synAckTimers: false, completeOutcomes: true };
}

test("NodeCounters.follow() reads pods' counters where nothing is captured, and compares from when something is", async () => {
  const { counters, readings } = counted();
  const end = new AbortController();
  const following = counters.follow(end.signal);
  while (readings.length === 0) await new Promise(setImmediate);
  assert.equal(seenBy(counters), undefined);
  const settled = Promise.withResolvers<void>();
  counters.compare({
    sight: sight(),
    epochNanos: process.hrtime.bigint(),
    settle: async () => settled.resolve(),
  });
  // At once, not at the next reading.
  await settled.promise;
  assert.equal(readings.length, 2);
  end.abort();
  await following;
  await counters.read();
  assert.equal(readings.length, 3);
  assert.equal(seenBy(counters), 0);
});

test("NodeCounters.read() compares nothing before it knows where the counters stood", async () => {
  const { counters, readings } = counted();
  counters.compare({ sight: sight(), epochNanos: process.hrtime.bigint(), settle: async () => {} });
  await counters.read();
  assert.equal(readings.length, 1);
  assert.deepEqual(counters.coverage?.totals.segments, { seen: 0, kernel: 0 });
});
