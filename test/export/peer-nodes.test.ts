import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricDefinition } from "../../src/export/metric-family.ts";
import { PeerNodes } from "../../src/export/peer-nodes.ts";
import { SeriesTable } from "../../src/export/series-table.ts";
import { readValues } from "./read-points.ts";

const MINUTE = 60_000;
const PAIRS: MetricDefinition = { name: "pairs", unit: "{segment}", kind: "counter", description: "Pairs" };

function somePeers({ max = 2, maxSeries = 100 } = {}) {
  const clock = { nowMs: 0 };
  const table = new SeriesTable({ place: {}, now: () => clock.nowMs, maxSeries });
  const overflow = { "source.k8s.node.name": "here", "destination.k8s.node.name": "other" };
  const find = table.metric(PAIRS, { overflow });
  const peers = new PeerNodes({ find, table, node: "here", max });
  const count = (name: string | undefined, segments: number) => {
    const peer = peers.get(name);
    peer.series.value += segments;
    peer.recent += segments;
  };
  const values = () => {
    const all = readValues(table, "pairs", { nowUnixMs: clock.nowMs, common: ["source.k8s.node.name"] });
    return Object.fromEntries(
      Object.entries(all).map(([key, value]) => [key.replace("destination.k8s.node.name=", ""), value]),
    );
  };
  const rank = () => {
    clock.nowMs += MINUTE;
    table.expire(clock.nowMs);
    peers.rank(clock.nowMs);
  };
  return { clock, table, peers, count, values, rank };
}

test("PeerNodes.get() gives the first peers series of their own and all others one", () => {
  const { count, values } = somePeers();
  for (const name of ["a", "b", "c", "d", "c"]) count(name, 1);
  assert.deepEqual(values(), { a: 1, b: 1, other: 3 });
});

test("PeerNodes.get() counts a peer on no known node apart, and not among the peers with a series", () => {
  const { count, values } = somePeers({ max: 1 });
  count(undefined, 4);
  count("a", 1);
  assert.deepEqual(values(), { "": 4, a: 1 });
});

test("PeerNodes.rank() gives a peer with more segments of late the series of one with fewer; no segment moves", () => {
  const { count, values, rank } = somePeers();
  count("a", 10);
  count("b", 1);
  count("c", 5);
  rank();
  assert.deepEqual(values(), { a: 10, b: 1, other: 5, c: 0 });
  count("b", 2);
  count("c", 7);
  assert.deepEqual(values(), { a: 10, b: 1, other: 7, c: 7 }, "b counts as other from now on");
});

test("PeerNodes.rank() leaves a peer its series that is not far behind", () => {
  const { count, values, rank } = somePeers();
  count("a", 10);
  count("b", 3);
  count("c", 5);
  rank();
  assert.deepEqual(Object.keys(values()), ["a", "b", "other"]);
});

test("PeerNodes.rank() weighs what was counted long ago less", () => {
  const { count, values, rank } = somePeers({ max: 1 });
  count("a", 1000);
  for (let minute = 0; minute < 20; minute++) {
    rank();
    count("b", 20);
  }
  rank();
  assert.ok("b" in values(), JSON.stringify(values()));
});

test("PeerNodes.rank() lets a series that lost its place end when readers have had the last of it", () => {
  const { clock, table, count, values, rank } = somePeers({ max: 1 });
  count("a", 1);
  values();
  count("b", 10);
  rank();
  for (let minute = 0; minute < 3; minute++) {
    values();
    clock.nowMs += MINUTE;
    table.expire(clock.nowMs);
  }
  assert.deepEqual(values(), { b: 0, other: 10 });
  assert.equal(table.counts.outranked, 1);
});

test("PeerNodes.rank() gives a peer that comes back before its series has ended the same one", () => {
  const { table, clock, count, values, rank } = somePeers({ max: 1 });
  count("a", 1);
  count("b", 10);
  rank();
  count("a", 100);
  rank();
  count("a", 1);
  assert.equal(values()["a"], 2);
  for (let minute = 0; minute < 5; minute++) {
    values();
    clock.nowMs += MINUTE;
    table.expire(clock.nowMs);
  }
  assert.equal(values()["a"], 2, "it does not end");
});

test("PeerNodes.forget() lets go of peers whose series has ended, so that others have room", () => {
  const { clock, table, peers, count, values } = somePeers({ max: 1 });
  count("a", 1);
  table.expire(clock.nowMs);
  clock.nowMs += 100 * MINUTE;
  table.expire(clock.nowMs);
  peers.forget();
  count("b", 1);
  assert.deepEqual(values(), { b: 1 });
});

test("PeerNodes counts peers for which the table has no room as others, and tries again", () => {
  const { clock, table, count, values, rank } = somePeers({ max: 5, maxSeries: 1 });
  count("a", 1);
  count("b", 2);
  assert.deepEqual(values(), { a: 1, other: 2 });
  table.expire(clock.nowMs);
  clock.nowMs += 100 * MINUTE;
  table.expire(clock.nowMs);
  rank();
  count("b", 2);
  assert.deepEqual(values(), { b: 2, other: 2 });
});

test("PeerNodes holds at most 5,000 names, and forgets those without a series", () => {
  const { peers, count, values } = somePeers();
  for (let i = 0; i < 5000; i++) count(`node-${i}`, 1);
  assert.equal(peers.isFull, false);
  count("node-5000", 1);
  assert.equal(peers.isFull, true);
  peers.forget();
  assert.equal(peers.isFull, false);
  count("node-1", 1);
  assert.deepEqual(values(), { "node-0": 1, "node-1": 2, other: 4999 });
});
