import assert from "node:assert/strict";
import { test } from "node:test";
import { formatSummary, formatSummaryJson } from "../../src/export/format-summary.ts";
import { Summary } from "../../src/export/summary.ts";
import { anEvent } from "./an-event.ts";
import { anEnd, CART_END, PRICES_END, someEnds } from "./some-ends.ts";

const SECOND = 1_000_000_000n;
const utc = { utcOffsetMinutes: () => 0 };

function filled(): Summary {
  const summary = new Summary();
  const b = { localAddress: "2001:db8::1", peerAddress: "2001:db8::2", ipVersion: 6, netns: 5 } as const;
  summary.add(anEvent({ segments: 3 }), 10n * SECOND);
  summary.add(anEvent({ segments: 2, cause: "timeout" }), 12n * SECOND);
  summary.add(anEvent({ outcome: "failed", segments: 0 }), 11n * SECOND);
  summary.add(anEvent({ segments: 7, socket: b }), 13n * SECOND);
  const probe = { kind: "loss_probe", cause: "tail_loss_probe" } as const;
  summary.add(anEvent({ ...probe, segments: 1, socket: b }), 14n * SECOND);
  summary.add(anEvent({ ...probe, outcome: "unknown", socket: b }), 15n * SECOND);
  return summary;
}

test("formatSummary() lists connections and causes, most segments first", () => {
  assert.equal(
    formatSummary(filled().view({ rows: 10 }), utc),
    `LADDR:LPORT         RADDR:RPORT        SEGS RETRANS FAILED TLP    FIRST     LAST CAUSES
[2001:db8::1]:53874 [2001:db8::2]:6001    8       2      0   2 00:00:13 00:00:15 fast=7 tail_loss_probe=1
10.150.18.225:53874 10.105.152.3:6001     5       2      1   0 00:00:10 00:00:12 fast=3 timeout=2

CAUSE           SEGS RETRANS FAILED TLP    FIRST     LAST
fast              10       2      1   0 00:00:10 00:00:13
timeout            2       1      0   0 00:00:12 00:00:12
tail_loss_probe    1       1      0   2 00:00:14 00:00:15
total             13       4      1   2 00:00:10 00:00:15
`,
  );
});

test("formatSummary() puts connections beyond the rows into one", () => {
  const [, first, other] = formatSummary(filled().view({ rows: 1 }), utc).split("\n");
  assert.ok(first!.startsWith("[2001:db8::1]:53874 [2001:db8::2]:6001    8"));
  assert.match(other!, /^\(1 other\) +5 +2 +1 +0 00:00:10 00:00:12 fast=3 timeout=2$/);
});

test("formatSummary() of nothing is two headers and a total of zero", () => {
  assert.equal(
    formatSummary(new Summary().view({ rows: 10 }), utc),
    "LADDR:LPORT RADDR:RPORT SEGS RETRANS FAILED TLP FIRST LAST CAUSES\n\n" +
      "CAUSE SEGS RETRANS FAILED TLP FIRST LAST\ntotal    0       0      0   0     -    -\n",
  );
});

test("formatSummary() says that segments were assumed where the rung does not tell them", () => {
  const summary = new Summary();
  summary.add(anEvent(), SECOND);
  summary.add(anEvent({ outcome: "failed" }), SECOND);
  const view = summary.view({ rows: 10 });
  assert.equal(view.total.segments, 1);
  assert.match(formatSummary(view, utc), /^Events whose segments are not known, one each assumed: 1\n$/m);
});

test("formatSummaryJson() gives a line for each connection, for the rest, and for each cause", () => {
  const lines = formatSummaryJson(filled().view({ rows: 1 }), 20n * SECOND)
    .trimEnd()
    .split("\n");
  const [connection, other, ...causes] = lines.map((line) => JSON.parse(line));
  assert.deepEqual(connection, {
    timestamp: "1970-01-01T00:00:20.000000000Z",
    "event.name": "tcp.retransmit.summary",
    "source.address": "2001:db8::1",
    "source.port": 53874,
    "destination.address": "2001:db8::2",
    "destination.port": 6001,
    "network.type": "ipv6",
    "network.transport": "tcp",
    "linux.network_namespace.inum": 5,
    "tcp.retransmit.segments": 8,
    "tcp.retransmits": 2,
    "tcp.retransmit.failures": 0,
    "tcp.loss_probes": 2,
    "tcp.retransmit.first": "1970-01-01T00:00:13.000000000Z",
    "tcp.retransmit.last": "1970-01-01T00:00:15.000000000Z",
    "tcp.retransmit.types": { fast: 7, tail_loss_probe: 1 },
  });
  assert.equal(other["tcp.retransmit.connections"], 1);
  assert.equal(other["tcp.retransmit.segments"], 5);
  assert.deepEqual(
    causes.map((cause) => [cause["network.tcp.retransmit.type"], cause["tcp.retransmit.segments"]]),
    [
      ["fast", 10],
      ["timeout", 2],
      ["tail_loss_probe", 1],
    ],
  );
});

test("Summary holds a bounded number of connections, keeps the largest and loses no count", () => {
  const summary = new Summary({ maxConnections: 8 });
  for (let port = 1; port <= 100; port++) {
    summary.add(anEvent({ segments: port === 3 ? 1000 : 1, socket: { localPort: port } }), SECOND);
  }
  const { connections, total } = summary.view({ rows: 50 });
  const { rows, others, otherTally } = connections;
  assert.ok(rows.length <= 8);
  assert.equal(rows[0]!.localPort, 3);
  assert.equal(rows.length + others, 100);
  const shown = rows.reduce((sum, { segments }) => sum + segments, 0);
  assert.equal(shown + otherTally.segments, 1099);
  assert.equal(total.segments, 1099);
});

test("Summary keeps connections with the same ends in two namespaces apart", () => {
  const summary = new Summary();
  for (const netns of [1, 2, 2]) summary.add(anEvent({ segments: 1, socket: { netns } }), SECOND);
  assert.deepEqual(
    summary.view({ rows: 10 }).connections.rows.map(({ netns, segments }) => [netns, segments]),
    [
      [2, 2],
      [1, 1],
    ],
  );
});

/** Two connections between the same names, one to an outside address. */
function named(): Summary {
  const summary = new Summary();
  const outside = anEnd({ kind: "external", name: "external" });
  const deleted = { ...PRICES_END, hint: { kind: "pod_deleted", ageSeconds: 14.2 } as const };
  summary.add(anEvent({ segments: 3 }), 10n * SECOND, someEnds());
  summary.add(anEvent({ segments: 2, cause: "timeout" }), 12n * SECOND, someEnds(deleted));
  summary.add(anEvent({ segments: 2, socket: { localPort: 5 } }), 13n * SECOND, someEnds());
  summary.add(
    anEvent({ segments: 1, socket: { peerAddress: "192.0.2.7" } }),
    14n * SECOND,
    someEnds(outside),
  );
  return summary;
}

test("formatSummary() with names lists pairs of names first, and the names of each connection", () => {
  assert.equal(
    formatSummary(named().view({ rows: 10 }), utc),
    `SOURCE               DESTINATION                                SEGS RETRANS FAILED TLP    FIRST     LAST CAUSES
shop/cart-7d4f9c-x2x svc shop/prices (shop/nightly-29000-abcde)    7       3      0   0 00:00:10 00:00:13 fast=5 timeout=2
shop/cart-7d4f9c-x2x external                                      1       1      0   0 00:00:14 00:00:14 fast=1

LADDR:LPORT         RADDR:RPORT       SEGS RETRANS FAILED TLP    FIRST     LAST CAUSES           SOURCE               DESTINATION
10.150.18.225:53874 10.105.152.3:6001    5       2      0   0 00:00:10 00:00:12 fast=3 timeout=2 shop/cart-7d4f9c-x2x svc shop/prices (shop/nightly-29000-abcde) [pod deleted 14 s ago]
10.150.18.225:5     10.105.152.3:6001    2       1      0   0 00:00:13 00:00:13 fast=2           shop/cart-7d4f9c-x2x svc shop/prices (shop/nightly-29000-abcde)
10.150.18.225:53874 192.0.2.7:6001       1       1      0   0 00:00:14 00:00:14 fast=1           shop/cart-7d4f9c-x2x external

CAUSE   SEGS RETRANS FAILED TLP    FIRST     LAST
fast       6       3      0   0 00:00:10 00:00:14
timeout    2       1      0   0 00:00:12 00:00:12
total      8       4      0   0 00:00:10 00:00:14
`,
  );
});

test("formatSummary() puts pairs beyond the rows into one", () => {
  const [, first, other] = formatSummary(named().view({ rows: 1 }), utc).split("\n");
  assert.ok(first!.startsWith("shop/cart-7d4f9c-x2x svc shop/prices (shop/nightly-29000-abcde)    7"));
  assert.match(other!, /^\(1 other\) +1 +1 +0 +0 00:00:14 00:00:14 fast=1$/);
});

test("formatSummaryJson() with names gives a line for each pair first, then each connection with its names", () => {
  const lines = formatSummaryJson(named().view({ rows: 1 }), 20n * SECOND)
    .trimEnd()
    .split("\n");
  const [pair, otherPairs, connection] = lines.map((line) => JSON.parse(line));
  assert.deepEqual(pair, {
    timestamp: "1970-01-01T00:00:20.000000000Z",
    "event.name": "tcp.retransmit.summary",
    "source.kind": "pod",
    "source.name": "shop/cart-7d4f9c-x2x",
    "destination.kind": "pod",
    "destination.name": "shop/nightly-29000-abcde",
    "destination.k8s.service.name": "prices",
    "tcp.retransmit.segments": 7,
    "tcp.retransmits": 3,
    "tcp.retransmit.failures": 0,
    "tcp.loss_probes": 0,
    "tcp.retransmit.first": "1970-01-01T00:00:10.000000000Z",
    "tcp.retransmit.last": "1970-01-01T00:00:13.000000000Z",
    "tcp.retransmit.types": { fast: 5, timeout: 2 },
  });
  assert.equal(otherPairs["tcp.retransmit.pairs"], 1);
  assert.equal(otherPairs["tcp.retransmit.segments"], 1);
  assert.equal(connection["source.port"], 53874);
  assert.equal(connection["source.k8s.pod.name"], "cart-7d4f9c-x2x");
  assert.equal(connection["destination.hint"], "pod_deleted", "as at its last event");
});

test("Summary holds a bounded number of pairs, keeps the largest and loses no count", () => {
  const summary = new Summary({ maxPairs: 8 });
  for (let i = 1; i <= 100; i++) {
    const peer = anEnd({ ...CART_END, pod: undefined, name: `shop/p-${i}` });
    summary.add(anEvent({ segments: i === 3 ? 1000 : 1 }), SECOND, someEnds(peer));
  }
  const { rows, others, otherTally } = summary.view({ rows: 50 }).pairs!;
  assert.ok(rows.length <= 8);
  assert.equal(rows[0]!.destination, "shop/p-3");
  assert.equal(rows.length + others, 100);
  assert.equal(rows.reduce((sum, { segments }) => sum + segments, 0) + otherTally.segments, 1099);
});
