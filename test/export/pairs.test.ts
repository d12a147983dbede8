import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ends } from "../../src/event/end-name.ts";
import { Pairs } from "../../src/export/pairs.ts";
import { anEnd, CART_END, NODE_A, NODE_B, PRICES_END, someEnds } from "./some-ends.ts";

function counting() {
  const made: Ends[] = [];
  const pairs = new Pairs((ends) => made.push(ends));
  return { made, pairs };
}

test("Pairs.get() makes one value for all connections between the same pods, whichever object says so", () => {
  const { made, pairs } = counting();
  assert.equal(pairs.get(someEnds()), 1);
  assert.equal(pairs.get({ ...someEnds(), local: { ...CART_END }, peer: { ...PRICES_END } }), 1);
  assert.equal(made.length, 1);
});

test("Pairs.get() tells ends apart that have one name: by kind, and by what node they were found on", () => {
  const { pairs } = counting();
  const peers = [
    anEnd({ kind: "node", name: "x" }),
    anEnd({ kind: "cidr", name: "x" }),
    anEnd({ kind: "cidr", name: "x", node: NODE_A }),
    anEnd({ kind: "cidr", name: "x", node: NODE_B }),
  ];
  const values = peers.map((peer) => pairs.get(someEnds(peer)));
  assert.deepEqual(values, [1, 2, 3, 4]);
});

test("Pairs.get() keeps at most two generations of 4,096 pairs, and those that are used stay", () => {
  const { made, pairs } = counting();
  const ends = (i: number) => someEnds(anEnd({ kind: "node", name: `node-${i}` }));
  for (let i = 0; i < 20_000; i++) {
    pairs.get(ends(i));
    assert.equal(pairs.get(ends(0)), 1, `after ${i}`);
  }
  assert.equal(made.length, 20_000);
  pairs.get(ends(19_999));
  assert.equal(made.length, 20_000, "the last is kept");
  pairs.get(ends(10_000));
  assert.equal(made.length, 20_001, "one of long ago is not");
});

test("Pairs.clear() forgets all", () => {
  const { made, pairs } = counting();
  pairs.get(someEnds());
  pairs.clear();
  pairs.get(someEnds());
  assert.equal(made.length, 2);
});
