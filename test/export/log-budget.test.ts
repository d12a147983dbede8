import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import { LogBudget } from "../../src/export/log-budget.ts";
import { anEvent } from "./an-event.ts";
import { anEnd, CART, CART_END, someEnds } from "./some-ends.ts";

/** Ends of as many pods as are asked for, each the same object every time. */
const podEnds = (() => {
  const known: ReturnType<typeof someEnds>[] = [];
  return (pod: number) => {
    known[pod] ??= someEnds(anEnd(), { local: { ...CART_END, pod: { ...CART, uid: `u-${pod}` } } });
    return known[pod];
  };
})();

/** A window of events of these pods, in this order. */
function windowOf(max: number, pods: readonly number[]) {
  const beyond: EnrichedEvent[] = [];
  const budget = new LogBudget({ max, beyond: (enriched) => beyond.push(enriched) });
  const events: readonly EnrichedEvent[] = pods.map((pod) => ({
    event: anEvent({ pid: pod }),
    ends: podEnds(pod),
  }));
  for (const event of events) budget.offer(event, undefined);
  return { events, beyond, kept: budget.take().map(({ enriched }) => enriched), budget };
}

function countOf(events: readonly EnrichedEvent[], pods: number): readonly number[] {
  return Array.from({ length: pods }, (_, pod) => events.filter(({ event }) => event.pid === pod).length);
}

/** Max-min fair shares by progressive filling: one more to each that wants more, round after round. */
function fairShares(max: number, demands: readonly number[]): readonly number[] {
  const shares = demands.map(() => 0);
  for (let left = max; ; ) {
    const wanting = demands.flatMap((demand, i) => (shares[i]! < demand ? [i] : []));
    if (wanting.length === 0 || left < wanting.length) return shares;
    for (const i of wanting) shares[i]!++;
    left -= wanting.length;
  }
}

test("LogBudget shares a window as max-min fairness has it, and loses no event, in whatever order they come", () => {
  const storms = fc.tuple(
    fc.integer({ min: 0, max: 30 }),
    fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 8 }),
    fc.infiniteStream(fc.nat()),
  );
  fc.assert(
    fc.property(storms, ([max, demands, random]) => {
      const pods = demands.flatMap((demand, pod) => new Array<number>(demand).fill(pod));
      for (let i = pods.length - 1; i > 0; i--) {
        const j = random.next().value! % (i + 1);
        [pods[i], pods[j]] = [pods[j]!, pods[i]!];
      }
      const { events, kept, beyond } = windowOf(max, pods);
      assert.equal(kept.length, Math.min(max, events.length));
      assert.deepEqual(new Set([...kept, ...beyond]), new Set(events));
      assert.equal(kept.length + beyond.length, events.length);
      const shares = countOf(kept, demands.length);
      // What is left over by progressive filling goes to some, one each.
      const fair = fairShares(max, demands);
      for (const [pod, share] of shares.entries())
        assert.ok(share === fair[pod] || share === fair[pod]! + 1, `${shares} ${fair} of ${demands}`);
      assert.deepEqual(
        kept.map((event) => events.indexOf(event)),
        kept.map((event) => events.indexOf(event)).toSorted((a, b) => a - b),
      );
    }),
    { numRuns: 2000 },
  );
});

test("LogBudget gives a pod that comes last as much as the one that filled the window", () => {
  const { kept } = windowOf(10, [...new Array(1000).fill(0), ...new Array(1000).fill(1)]);
  assert.deepEqual(countOf(kept, 2), [5, 5]);
});

test("LogBudget leaves to a busy pod what quiet ones do not use", () => {
  const { kept } = windowOf(10, [...new Array(50).fill(0), 1, 1, 2]);
  assert.deepEqual(countOf(kept, 3), [7, 2, 1]);
});

test("LogBudget keeps the first events of each pod", () => {
  const { events, kept } = windowOf(4, [0, 0, 0, 0, 0, 1, 1, 1]);
  assert.deepEqual(
    kept.map((event) => events.indexOf(event)),
    [0, 1, 5, 6],
  );
});

test("LogBudget begins anew with the next window", () => {
  const { budget, beyond } = windowOf(2, [0, 0, 0]);
  assert.equal(beyond.length, 1);
  budget.offer({ event: anEvent(), ends: podEnds(0) }, undefined);
  assert.equal(budget.take().length, 1);
  assert.equal(budget.take().length, 0);
  assert.equal(beyond.length, 1);
});

test("LogBudget gives what is no pod's a share by its name, and what has no names one together", () => {
  const beyond: EnrichedEvent[] = [];
  const budget = new LogBudget({ max: 3, beyond: (enriched) => beyond.push(enriched) });
  const local = (name: string) => someEnds(anEnd(), { local: anEnd({ kind: "process", name }) });
  for (const ends of [local("sshd"), local("sshd"), local("sshd"), local("etcd"), undefined, undefined])
    budget.offer({ event: anEvent(), ends }, undefined);
  assert.deepEqual(
    budget.take().map(({ enriched }) => enriched.ends?.local.name),
    ["sshd", "etcd", undefined],
  );
});

test("LogBudget has no more than 1024 shares: the local ends beyond have one together", () => {
  const pods = Array.from({ length: 1100 }, (_, pod) => pod);
  const { kept } = windowOf(1025, [...pods, ...pods]);
  // 1024 ends have one each, and all that come after them one more between them.
  assert.deepEqual(
    countOf(kept, 1100).map((count, pod) => (pod < 1024 ? count === 1 : count <= 1)),
    new Array(1100).fill(true),
  );
  assert.equal(kept.length, 1025);
});
