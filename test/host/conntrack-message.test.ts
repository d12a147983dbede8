import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ConntrackQuery,
  decodeReply,
  fillQuery,
  prepareQuery,
} from "../../src/host/conntrack-message.ts";
import { type ConntrackExchange, readExchange } from "../support/conntrack-exchange.ts";

const NAMES = ["opener", "answerer", "none"].flatMap((end) => [`6.18-ipv4-${end}`, `6.18-ipv6-${end}`]);
const OPENER = readExchange("6.18-ipv4-opener");

test("fillQuery() lays out the request that a kernel took", () => {
  for (const name of NAMES) {
    const exchange = readExchange(name);
    assert.deepEqual(queryOf(exchange).bytes, exchange.request, name);
  }
});

test("fillQuery() leaves nothing of an earlier connection in a query that is used again", () => {
  const long = readExchange("6.18-ipv6-answerer");
  const query = queryOf(long);
  assert.ok(fillQuery(query, { ...long.pair, localAddress: "::", peerAddress: "::1" }, 1));
  assert.ok(fillQuery(query, long.pair, long.sequence));
  assert.deepEqual(query.bytes, long.request);
});

test("fillQuery() refuses addresses of the other family and texts that are none", () => {
  const query = prepareQuery(4, { littleEndian: true });
  for (const localAddress of ["::1", "10.0.0", "10.0.0.256", "", "host"]) {
    assert.equal(fillQuery(query, { ...OPENER.pair, localAddress }, 1), false, localAddress);
    assert.equal(fillQuery(query, { ...OPENER.pair, peerAddress: localAddress }, 1), false, localAddress);
  }
  assert.equal(fillQuery(prepareQuery(6, { littleEndian: true }), OPENER.pair, 1), false);
});

test("prepareQuery() writes numbers of the machine big endian where the machine is", () => {
  const { view } = prepareQuery(4, { littleEndian: false });
  assert.deepEqual([view.getUint32(0), view.getUint16(4), view.getUint16(6)], [72, 0x0101, 1]);
  assert.deepEqual([view.getUint16(20), view.getUint16(22)], [52, 0x8001]);
});

test("decodeReply() gives what the peer is, by which tuple is the one asked for", () => {
  const results = NAMES.map((name) => decode(readExchange(name)));
  assert.deepEqual(results, [
    { kind: "entry", translation: { address: "10.66.2.2", port: 8080, side: "backend" } },
    { kind: "entry", translation: { address: "fd00:66:2::2", port: 8080, side: "backend" } },
    { kind: "entry", translation: { address: "10.66.1.2", port: 42412, side: "client" } },
    { kind: "entry", translation: { address: "fd00:66:1::2", port: 49892, side: "client" } },
    { kind: "errno", errno: 2 },
    { kind: "errno", errno: 2 },
  ]);
});

test("decodeReply() gives an entry without a translation where the peer is what the socket calls it", () => {
  // Both tuples as one without NAT has them: orig.dst = reply.src.
  const reply = OPENER.reply.slice();
  reply.set(OPENER.request.subarray(40, 44), 0x54); // reply.src = 10.96.0.2
  reply.set([0, 80], 0x70); // reply.sport
  assert.deepEqual(decode({ ...OPENER, reply }), { kind: "entry", translation: undefined });
});

test("decodeReply() gives a translation where the port alone is another", () => {
  const reply = OPENER.reply.slice();
  reply.set(OPENER.request.subarray(40, 44), 0x54);
  const translation = { address: "10.96.0.2", port: 8080, side: "backend" };
  assert.deepEqual(decode({ ...OPENER, reply }), { kind: "entry", translation });
});

test("decodeReply() passes over answers to earlier requests, in the same read too", () => {
  const { reply } = OPENER;
  const stale = reply.slice();
  stale[8] = 0;
  assert.deepEqual(decode({ ...OPENER, reply: stale }), { kind: "stale" });
  assert.deepEqual(decode({ ...OPENER, reply: new Uint8Array(0) }), { kind: "stale" });
  const both = Uint8Array.from([...stale, ...reply]);
  assert.deepEqual(decode({ ...OPENER, reply: both }), decode(OPENER));
});

test("decodeReply() reads no further than the bytes it is told of", () => {
  const query = queryOf(OPENER);
  const view = new DataView(new ArrayBuffer(8192));
  new Uint8Array(view.buffer).set(OPENER.reply);
  assert.equal(decodeReply(view, OPENER.reply.length, query).kind, "entry");
  assert.deepEqual(decodeReply(view, 100, query), { kind: "failed", error: "short_message" });
});

const FAULTS: readonly { name: string; error: string; change: (reply: DataView) => DataView | undefined }[] =
  [
    { name: "less than a header", error: "short_message", change: (reply) => cut(reply, 15) },
    { name: "a length of 0", error: "short_message", change: (reply) => void reply.setUint32(0, 0, true) },
    {
      name: "a length beyond the read",
      error: "short_message",
      change: (reply) => void reply.setUint32(0, 213, true),
    },
    { name: "no room for nfgenmsg", error: "short_message", change: (reply) => resize(reply, 18) },
    {
      name: "an error without its number",
      error: "short_message",
      change: (reply) => {
        reply.setUint16(4, 2, true);
        return resize(reply, 19);
      },
    },
    {
      name: "another message type",
      error: "wrong_type",
      change: (reply) => void reply.setUint16(4, 0x0102, true),
    },
    {
      name: "an attribute of length 0",
      error: "bad_attribute",
      change: (reply) => void reply.setUint16(0x14, 0, true),
    },
    {
      name: "an attribute beyond the message",
      error: "bad_attribute",
      change: (reply) => void reply.setUint16(0x14, 500, true),
    },
    { name: "half an attribute header", error: "bad_attribute", change: (reply) => resize(reply, 0x16) },
    {
      name: "a nested attribute beyond its nest",
      error: "bad_attribute",
      change: (reply) => void reply.setUint16(0x18, 60, true),
    },
    {
      name: "an address beyond its nest",
      error: "bad_attribute",
      change: (reply) => void reply.setUint16(0x1c, 40, true),
    },
    {
      name: "an address of 3 bytes",
      error: "bad_attribute",
      change: (reply) => void reply.setUint16(0x1c, 7, true),
    },
    {
      name: "a port of 1 byte",
      error: "bad_attribute",
      change: (reply) => void reply.setUint16(0x38, 5, true),
    },
    { name: "no attributes", error: "no_tuple", change: (reply) => resize(reply, 20) },
    {
      name: "no reply tuple",
      error: "no_tuple",
      change: (reply) => void reply.setUint16(0x4a, 0x8063, true),
    },
    {
      name: "a tuple without addresses",
      error: "no_tuple",
      change: (reply) => void reply.setUint16(0x1a, 0x8063, true),
    },
    {
      name: "a tuple without ports",
      error: "no_tuple",
      change: (reply) => void reply.setUint16(0x2e, 0x8063, true),
    },
    {
      name: "a tuple without a source port",
      error: "no_tuple",
      change: (reply) => void reply.setUint16(0x3a, 99, true),
    },
    { name: "IPv6 addresses", error: "no_tuple", change: (reply) => void reply.setUint16(0x1e, 3, true) },
    {
      name: "another source address",
      error: "other_connection",
      change: (reply) => void reply.setUint8(0x20, 11),
    },
    {
      name: "another destination address",
      error: "other_connection",
      change: (reply) => void reply.setUint8(0x2b, 11),
    },
    {
      name: "another source port",
      error: "other_connection",
      change: (reply) => void reply.setUint8(0x3c, 1),
    },
    {
      name: "another destination port",
      error: "other_connection",
      change: (reply) => void reply.setUint8(0x45, 1),
    },
  ];

for (const { name, error, change } of FAULTS) {
  test(`decodeReply() gives ${error} for ${name}`, () => {
    const view = new DataView(OPENER.reply.slice().buffer);
    const changed = change(view) ?? view;
    assert.deepEqual(decodeReply(changed, changed.byteLength, queryOf(OPENER)), { kind: "failed", error });
  });
}

function queryOf({ pair, sequence }: ConntrackExchange): ConntrackQuery {
  const query = prepareQuery(pair.ipVersion, { littleEndian: true });
  assert.ok(fillQuery(query, pair, sequence));
  return query;
}

function decode(exchange: ConntrackExchange) {
  const { buffer, byteOffset, byteLength } = exchange.reply;
  return decodeReply(new DataView(buffer, byteOffset, byteLength), byteLength, queryOf(exchange));
}

/** The first bytes, with a header that speaks of more. */
function cut(view: DataView, length: number): DataView {
  return new DataView(view.buffer, 0, length);
}

/** The first bytes, with a header that says so. */
function resize(view: DataView, length: number): DataView {
  view.setUint32(0, length, true);
  return cut(view, length);
}
