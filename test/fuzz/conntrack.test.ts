import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { writeIpv4, writeIpv6 } from "../../src/host/address-bytes.ts";
import { CONNTRACK_ERRORS, type ConntrackPair } from "../../src/host/conntrack-answer.ts";
import { formatTuple, matchLine } from "../../src/host/conntrack-lines.ts";
import { decodeReply, fillQuery, prepareQuery } from "../../src/host/conntrack-message.ts";
import { readConntrackText, readExchange } from "../support/conntrack-exchange.ts";
import { FUZZ_RUNS, mutatedBytes, mutatedText } from "../support/fuzz.ts";

const EXCHANGES = ["opener", "answerer", "none"].flatMap((end) =>
  ["ipv4", "ipv6"].map((family) => readExchange(`6.18-${family}-${end}`)),
);

for (const { pair, sequence, reply } of EXCHANGES) {
  test(`decodeReply() gives an answer to any change of a real reply to ${pair.localAddress} → ${pair.peerAddress}:${pair.peerPort}`, () => {
    const query = prepareQuery(pair.ipVersion, { littleEndian: true });
    assert.ok(fillQuery(query, pair, sequence));
    const property = fc.property(mutatedBytes([reply]), (bytes) => {
      const result = decodeReply(new DataView(bytes.buffer), bytes.length, query);
      if (result.kind === "failed") assert.ok(CONNTRACK_ERRORS.includes(result.error));
      if (result.kind === "errno") assert.ok(Number.isInteger(result.errno));
      if (result.kind === "entry" && result.translation !== undefined) checkPlace(result.translation, pair);
    });
    fc.assert(property, FUZZ_RUNS);
  });
}

test("matchLine() gives nothing but whole answers for any change of real lines", () => {
  const wanted = new Map<string, ConntrackPair>();
  for (const { pair } of EXCHANGES) wanted.set(formatTuple(pair) ?? "", pair);
  const lines = readConntrackText().trimEnd().split("\n");
  const property = fc.property(fc.constantFrom(...lines).chain(mutatedText), (line) => {
    const match = matchLine(line, wanted);
    if (match === undefined) return;
    const pair = wanted.get(match.tuple);
    assert.ok(pair !== undefined && match.answer.kind === "entry");
    if (match.answer.translation !== undefined) checkPlace(match.answer.translation, pair);
  });
  fc.assert(property, FUZZ_RUNS);
});

test("writeIpv4() and writeIpv6() write within their bytes for any text", () => {
  const text = fc.oneof(
    fc.constantFrom("10.96.0.1", "fd00:66:2::2", "1:2:3:4:5:6:7:8").chain(mutatedText),
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef:.:.") }),
  );
  const property = fc.property(text, (text) => {
    const bytes = new Uint8Array(18).fill(0xee);
    writeIpv4(text, bytes.subarray(0, 5), 1);
    writeIpv6(text, bytes, 1);
    assert.deepEqual([bytes[0], bytes[17]], [0xee, 0xee]);
  });
  fc.assert(property, FUZZ_RUNS);
});

function checkPlace(
  place: { readonly address: string; readonly port: number },
  { ipVersion }: ConntrackPair,
): void {
  const write = ipVersion === 4 ? writeIpv4 : writeIpv6;
  assert.ok(write(place.address, new Uint8Array(16), 0), place.address);
  assert.ok(Number.isInteger(place.port) && place.port >= 0 && place.port <= 0xffff);
}
