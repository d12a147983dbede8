import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConntrackPair } from "../../src/host/conntrack-answer.ts";
import { formatTuple, matchLine } from "../../src/host/conntrack-lines.ts";
import { readConntrackText, readExchange } from "../support/conntrack-exchange.ts";

const lines = readConntrackText().trimEnd().split("\n");
const PAIR = {
  ipVersion: 4,
  localAddress: "10.66.1.2",
  localPort: 41002,
  peerAddress: "10.96.0.1",
  peerPort: 80,
} as const;
const BACKEND = { kind: "entry", translation: { address: "10.66.2.2", port: 8080, side: "backend" } };

test("formatTuple() writes a pair as the kernel writes a tuple", () => {
  assert.equal(formatTuple(PAIR), "src=10.66.1.2 dst=10.96.0.1 sport=41002 dport=80 ");
  assert.equal(
    formatTuple({
      ipVersion: 6,
      localAddress: "fd00:96::2",
      localPort: 1,
      peerAddress: "::",
      peerPort: 65535,
    }),
    "src=fd00:0096:0000:0000:0000:0000:0000:0002 dst=0000:0000:0000:0000:0000:0000:0000:0000 sport=1 dport=65535 ",
  );
  assert.equal(formatTuple({ ...PAIR, peerAddress: "::1" }), undefined);
  assert.equal(formatTuple({ ...PAIR, ipVersion: 6 }), undefined);
});

test("matchLine() gives the same as netlink gave for the same entries", () => {
  for (const [name, address, port, side] of [
    ["6.18-ipv4-opener", "10.66.2.2", 8080, "backend"],
    ["6.18-ipv4-answerer", "10.66.1.2", 42412, "client"],
    ["6.18-ipv6-opener", "fd00:66:2::2", 8080, "backend"],
    ["6.18-ipv6-answerer", "fd00:66:1::2", 49892, "client"],
  ] as const) {
    assert.deepEqual(
      find(readExchange(name).pair),
      { kind: "entry", translation: { address, port, side } },
      name,
    );
  }
  assert.equal(find(readExchange("6.18-ipv4-none").pair), undefined);
});

test("matchLine() gives an entry without a translation for both ends of a plain connection", () => {
  const local = { localAddress: "10.66.1.2", localPort: 47556, peerAddress: "10.66.2.2", peerPort: 8080 };
  const far = { localAddress: "10.66.2.2", localPort: 8080, peerAddress: "10.66.1.2", peerPort: 47556 };
  for (const pair of [local, far])
    assert.deepEqual(find({ ipVersion: 4, ...pair }), { kind: "entry", translation: undefined });
});

test("matchLine() takes an entry that nobody answered yet", () => {
  assert.deepEqual(find(PAIR), BACKEND);
});

test("matchLine() passes over an entry in another zone than 0", () => {
  assert.equal(find({ ...PAIR, localPort: 41003 }), undefined, "zone=5");
});

test("matchLine() takes the direction that is in zone 0 where only the other is in another", () => {
  assert.equal(find({ ...PAIR, localPort: 41004 }), undefined, "zone-orig=6");
  const answerer = {
    ipVersion: 4,
    localAddress: "10.66.2.2",
    localPort: 8080,
    peerAddress: "10.66.1.2",
    peerPort: 41004,
  } as const;
  assert.deepEqual(find(answerer), { kind: "entry", translation: undefined });
  const line = lines
    .find((line) => line.includes("sport=41004"))!
    .replace("zone-orig=6 ", "")
    .replace("mark=", "zone-reply=6 mark=");
  assert.deepEqual(matchIn(line, { ...PAIR, localPort: 41004 }), BACKEND);
  assert.equal(matchIn(line, answerer), undefined, "zone-reply=6");
});

const ACCOUNTED =
  "ipv4     2 tcp      6 299 ESTABLISHED src=10.66.1.2 dst=10.96.0.1 sport=41002 dport=80 packets=5 bytes=420 src=10.66.2.2 dst=10.66.1.2 sport=8080 dport=41002 packets=4 bytes=900 [ASSURED] mark=7 secctx=(null) use=2";

test("matchLine() takes a line with counters, and without zones as kernels without them write it", () => {
  assert.deepEqual(matchIn(ACCOUNTED, PAIR), BACKEND);
});

for (const [name, line] of [
  ["an empty line", ""],
  ["another protocol", ACCOUNTED.replace("tcp      6", "udp      17")],
  [
    "a protocol only later in the line",
    ACCOUNTED.replace("tcp      6", "sctp     132").replace("ESTABLISHED", "tcp "),
  ],
  ["one tuple", ACCOUNTED.slice(0, ACCOUNTED.lastIndexOf("src="))],
  ["a second tuple cut off", ACCOUNTED.slice(0, ACCOUNTED.lastIndexOf("dport=") + 8)],
  ["an address that is none", ACCOUNTED.replace("src=10.66.2.2", "src=10.66.2.x")],
  ["a port beyond 65535", ACCOUNTED.replace("sport=8080", "sport=80800")],
  ["another port", ACCOUNTED.replaceAll("41002", "41005")],
] as const) {
  test(`matchLine() gives nothing for ${name}`, () => {
    assert.equal(matchIn(line, PAIR), undefined);
  });
}

function find(pair: ConntrackPair) {
  const found = lines.map((line) => matchIn(line, pair)).filter((answer) => answer !== undefined);
  assert.ok(found.length <= 1);
  return found[0];
}

function matchIn(line: string, pair: ConntrackPair) {
  const tuple = formatTuple(pair);
  assert.ok(tuple !== undefined);
  const match = matchLine(line, new Map([[tuple, pair]]));
  if (match !== undefined) assert.equal(match.tuple, tuple);
  return match?.answer;
}
