import assert from "node:assert/strict";
import { test } from "node:test";
import { type CpuPages, takeLaggingFirst } from "../../src/agent/lagging-first.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";

test("takeLaggingFirst() hands over each page before any that ends later than one of the same round", () => {
  const { cpus, taken } = cpusOf([10, 20, 90], [15, 16, 17, 95], [5]);
  assert.deepEqual(takeLaggingFirst(cpus, { until, budget: 100 }), []);
  // One page of each at first: nothing is known of a CPU before. Then the one that is furthest behind.
  assert.deepEqual(taken, ["0:10", "1:15", "2:5", "0:20", "1:16", "1:17", "1:95", "0:90"]);
});

test("takeLaggingFirst() ends with its budget and gives the CPUs that may have more, and how far each is taken", () => {
  const { cpus, taken } = cpusOf([10, 20, 30, 40, 50], [100, 110]);
  const full = takeLaggingFirst(cpus, { until, budget: 4 });
  assert.deepEqual(taken, ["0:10", "1:100", "0:20", "0:30"]);
  assert.deepEqual(
    full.map(({ takenUntil }) => takenUntil),
    [30, 100],
  );
});

test("takeLaggingFirst() goes on where it ended: a CPU that is ahead waits until the others have come as far", () => {
  const { cpus, taken } = cpusOf([10, 20, 30, 40], [35, 50]);
  takeLaggingFirst(cpus, { until, budget: 2 });
  takeLaggingFirst(cpus, { until, budget: 3 });
  assert.deepEqual(taken, ["0:10", "1:35", "0:20", "0:30", "0:40"]);
});

test("takeLaggingFirst() never holds more of a CPU that is ahead than one page beyond the one that is furthest behind", () => {
  const { cpus } = cpusOf(
    Array.from({ length: 500 }, (_, i) => i),
    Array.from({ length: 100 }, (_, i) => 9 * i),
    Array.from({ length: 5 }, (_, i) => 400 + i),
  );
  for (let full: readonly CpuPages[] = cpus; full.length > 0; ) {
    full = takeLaggingFirst(full, { until, budget: 7 });
    const behind = Math.min(...full.map(({ takenUntil }) => takenUntil));
    for (const { takenUntil } of full.slice(0, 2)) assert.ok(takenUntil - behind <= 400);
  }
});

test("takeLaggingFirst() looks no further at a CPU that has come to the time, or that has nothing left", () => {
  const { cpus, taken } = cpusOf([10, 1000, 1001], [20]);
  assert.deepEqual(takeLaggingFirst(cpus, { until, budget: 100 }), []);
  assert.deepEqual(taken, ["0:10", "1:20", "0:1000"]);
  assert.deepEqual(
    cpus.map(({ takenUntil }) => takenUntil),
    [1000, until],
  );
});

test("takeLaggingFirst() lets no CPU go back: a page that could not be read has no time", () => {
  const { cpus } = cpusOf([10, 0, 12]);
  takeLaggingFirst(cpus, { until, budget: 2 });
  assert.equal(cpus[0]?.takenUntil, 10);
});

const until = traceNanos(1000);

/** CPUs whose pages end at these times; `taken` tells in which order they were handed over. */
function cpusOf(...ends: readonly (readonly number[])[]) {
  const taken: string[] = [];
  const cpus = ends.map((times, cpu): CpuPages => {
    let at = 0;
    return {
      takenUntil: traceNanos(Number.NEGATIVE_INFINITY),
      next() {
        const end = times[at++];
        if (end === undefined) return undefined;
        taken.push(`${cpu}:${end}`);
        return traceNanos(end);
      },
    };
  });
  return { cpus, taken };
}
