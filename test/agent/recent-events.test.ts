import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentEvents } from "../../src/agent/recent-events.ts";
import { TopPairs } from "../../src/agent/top-pairs.ts";
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { anEvent } from "../export/an-event.ts";
import { anEnd, CART_END, NIGHTLY, PRICES_END, someEnds } from "../export/some-ends.ts";

const SECOND = 1e9;
const unixMs = (time: number) => 1_700_000_000_000 + time / 1e6;

function named(change: Parameters<typeof anEvent>[0] = {}): EnrichedEvent {
  return { event: anEvent({ segments: 2, ...change }), ends: someEnds() };
}

test("RecentEvents counts sent segments by pair and cause, and failures apart", () => {
  const recent = new RecentEvents();
  recent.consume(
    [
      named({ cause: "fast", segments: 3 }),
      named({ cause: "timeout" }),
      named({ cause: "timeout", outcome: "failed", segments: 0 }),
      named({ cause: "tail_loss_probe", kind: "loss_probe", outcome: "new_data", segments: 0 }),
      named({ cause: "syn", segments: undefined }),
    ],
    traceNanos(SECOND),
  );
  const view = recent.view(unixMs);
  assert.equal(view.events, 5);
  const all = {
    segments: 6,
    failed: 1,
    stallSeconds: 0,
    causes: [
      ["fast", 3],
      ["timeout", 2],
      ["syn", 1],
    ],
  };
  assert.deepEqual(view.total, all);
  assert.deepEqual(view.pairs, [
    { source: "shop/cart-7d4f9c-x2x", destination: "shop/nightly-29000-abcde", recent: all, total: all },
  ]);
  assert.deepEqual(view.otherPairs, { pairs: 0, segments: 0 });
});

test("RecentEvents keeps the last 30 events as rows, the latest first", () => {
  const recent = new RecentEvents();
  for (let batch = 0; batch < 5; batch++) {
    const events = Array.from({ length: 20 }, (_, i) => {
      return named({
        time: traceNanos((batch * 20 + i) * 1e6),
        outcome: "failed",
        error: -16,
        cause: "timeout",
      });
    });
    recent.consume(events, traceNanos(batch * 20e6));
  }
  const { last } = recent.view(unixMs);
  assert.equal(last.length, 30);
  assert.deepEqual(last[0], {
    unixMs: unixMs(99e6),
    kind: "retransmit",
    cause: "timeout",
    segments: 2,
    outcome: "failed: EBUSY",
    failed: true,
    source: "shop/cart-7d4f9c-x2x",
    destination: "svc shop/prices (shop/nightly-29000-abcde)",
    sourceAddress: "10.150.18.225:53874",
    destinationAddress: "10.105.152.3:6001",
  });
  assert.equal(last.at(-1)?.unixMs, unixMs(70e6));
});

test("RecentEvents moves on with the ticks, though no event comes", () => {
  const recent = new RecentEvents();
  recent.consume(
    Array.from({ length: 100 }, () => named()),
    traceNanos(5 * SECOND),
  );
  recent.consume([], traceNanos(6 * SECOND));
  assert.equal(recent.view(unixMs).perSecond, 10);
  recent.consume([], traceNanos(600 * SECOND));
  const { perSecond, recent: late, total, pairs } = recent.view(unixMs);
  assert.deepEqual([perSecond, late.segments, total.segments], [0, 0, 200]);
  assert.deepEqual([pairs[0]?.recent.segments, pairs[0]?.total.segments], [0, 200]);
  recent.consume([named()], traceNanos(Number.POSITIVE_INFINITY));
  assert.equal(recent.view(unixMs).total.segments, 202, "the last batch of a recording");
});

test("RecentEvents has a pair of pods once, through whichever service and on whichever connection", () => {
  const recent = new RecentEvents();
  const direct = { ...PRICES_END, service: undefined };
  recent.consume(
    [PRICES_END, direct, PRICES_END].map((peer, i) => {
      return { event: anEvent({ segments: 1, socket: { localPort: 1000 + i } }), ends: someEnds(peer) };
    }),
    traceNanos(0),
  );
  const { pairs } = recent.view(unixMs);
  assert.deepEqual(
    pairs.map(({ destination, total }) => [destination, total.segments]),
    [["shop/nightly-29000-abcde", 3]],
  );
});

test("RecentEvents has pairs of addresses where there are no names", () => {
  const recent = new RecentEvents();
  recent.consume(
    [1, 2, 3].map((port) => ({ event: anEvent({ socket: { localPort: port } }), ends: undefined })),
    traceNanos(0),
  );
  const { pairs, last } = recent.view(unixMs);
  assert.deepEqual(
    pairs.map(({ source, destination, total }) => [source, destination, total.segments]),
    [["10.150.18.225", "10.105.152.3", 3]],
  );
  assert.equal(last[0]?.source, undefined);
  assert.equal(last[0]?.segments, undefined, "what is not known is not made up");
});

test("RecentEvents.stalled() adds how long connections of a pair stood still", () => {
  const recent = new RecentEvents();
  const { event, ends } = named();
  recent.consume([{ event, ends }], traceNanos(SECOND));
  recent.stalled(1.5, { socket: event.socket, ends });
  recent.stalled(2, { socket: event.socket, ends });
  const { pairs, recent: all } = recent.view(unixMs);
  assert.equal(pairs[0]?.recent.stallSeconds, 3.5);
  assert.equal(all.stallSeconds, 3.5);
});

test("TopPairs holds a bounded number of pairs, keeps the large ones, and counts those that it forgot", () => {
  const pairs = new TopPairs({ max: 16 });
  const count = (name: string, segments: number) => {
    const pod = { ...NIGHTLY, uid: name, name };
    const ends = {
      ...someEnds(),
      local: CART_END,
      peer: anEnd({ ...PRICES_END, name: `shop/${name}`, pod }),
    };
    pairs.of({ socket: anEvent().socket, ends }).segments("fast", segments, 0);
  };
  for (let i = 0; i < 1000; i++) {
    count("large-a", 50);
    count("large-b", 40);
    count(`small-${i}`, 1);
  }
  const { rows, others } = pairs.view(5, 0);
  assert.deepEqual(
    rows.slice(0, 2).map(({ destination, total }) => [destination, total.segments]),
    [
      ["shop/large-a", 50_000],
      ["shop/large-b", 40_000],
    ],
  );
  assert.equal(rows.length, 5);
  assert.equal(others, 1002 - 5);
});

test("TopPairs lets a pair that has ended make room for one that goes on", () => {
  const pairs = new TopPairs({ max: 8 });
  const count = (localAddress: string, segments: number, slot: number) => {
    const { socket } = anEvent({ socket: { localAddress } });
    pairs.of({ socket, ends: undefined }).segments("fast", segments, slot);
  };
  count("ended", 1000, 0);
  for (let i = 0; i < 400; i++) {
    count("goes on", 20, 20);
    count(`small-${i}`, 1, 20);
  }
  const { rows } = pairs.view(2, 20);
  assert.equal(rows[0]?.source, "goes on");
  assert.ok(rows.every(({ source }) => source !== "ended"));
});
