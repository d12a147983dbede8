import assert from "node:assert/strict";
import { isIP, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  canonicalAddress,
  formatIpv4,
  formatIpv6,
  isIpv4Mapped,
  parseIpv4,
  parseIpv6,
} from "../../src/event/ip-address.ts";

const V4 = [
  { word: 0, text: "0.0.0.0" },
  { word: 0x0a000001, text: "10.0.0.1" },
  { word: 0xffffffff, text: "255.255.255.255" },
  { word: 0xc0a80080, text: "192.168.0.128" },
];

for (const { word, text } of V4) {
  test(`formatIpv4() gives ${text}`, () => assert.equal(formatIpv4(word), text));
}

/** The rules and examples of RFC 5952 §4. */
const V6: readonly { words: [number, number, number, number]; text: string; name: string }[] = [
  { name: "the unspecified address", words: [0, 0, 0, 0], text: "::" },
  { name: "the loopback address", words: [0, 0, 0, 1], text: "::1" },
  { name: "a run at the end", words: [0x20010db8, 0, 0, 0], text: "2001:db8::" },
  {
    name: "no leading zeroes",
    words: [0x20010db8, 0x00010002, 0x00030004, 0x0005000a],
    text: "2001:db8:1:2:3:4:5:a",
  },
  {
    name: "one zero group as it is",
    words: [0x20010db8, 0x00010001, 0x00010001, 0x00000001],
    text: "2001:db8:1:1:1:1:0:1",
  },
  {
    name: "the first of two equal runs",
    words: [0x20010db8, 0, 0x00010000, 0x00000001],
    text: "2001:db8::1:0:0:1",
  },
  { name: "the longer of two runs", words: [0x20010000, 0x00010000, 0, 0x00000001], text: "2001:0:1::1" },
  { name: "lower case", words: [0xfe800000, 0, 0xabcd, 0xef000000], text: "fe80::abcd:ef00:0" },
];

for (const { name, words, text } of V6) {
  test(`formatIpv6() writes ${name}: ${text}`, () => assert.equal(formatIpv6(words), text));
}

test("formatIpv6() gives what a URL parser makes of the same address", () => {
  const word = fc.oneof(fc.constant(0), fc.nat(0xffff), fc.integer({ min: 0, max: 0xffffffff }));
  const property = fc.property(fc.tuple(word, word, word, word), (words) => {
    const text = formatIpv6(words);
    assert.ok(isIPv6(text), text);
    const full = words.map((w) => `${(w >>> 16).toString(16)}:${(w & 0xffff).toString(16)}`).join(":");
    assert.equal(new URL(`http://[${full}]`).hostname, `[${text}]`);
  });
  fc.assert(property, { numRuns: 500 });
});

test("isIpv4Mapped() knows ::ffff:0:0/96 and no neighbour of it", () => {
  assert.equal(isIpv4Mapped(0, 0, 0xffff), true);
  assert.equal(isIpv4Mapped(0, 0, 0), false);
  assert.equal(isIpv4Mapped(0, 1, 0xffff), false);
  assert.equal(isIpv4Mapped(1, 0, 0xffff), false);
  assert.equal(isIpv4Mapped(0, 0, 0xfffe), false);
});

const CANONICAL: readonly { text: string; canonical: string | undefined }[] = [
  { text: "10.0.0.7", canonical: "10.0.0.7" },
  { text: "FD00:10:244:1:0:0:0:5", canonical: "fd00:10:244:1::5" },
  { text: "fd00:0010::0005", canonical: "fd00:10::5" },
  { text: "::", canonical: "::" },
  { text: "1::", canonical: "1::" },
  { text: "::ffff:10.0.0.7", canonical: "10.0.0.7" },
  { text: "::FFFF:a00:7", canonical: "10.0.0.7" },
  { text: "0:0:0:0:0:ffff:10.0.0.7", canonical: "10.0.0.7" },
  { text: "64:ff9b::10.0.0.7", canonical: "64:ff9b::a00:7" },
  { text: "010.0.0.7", canonical: undefined },
  { text: "10.0.0", canonical: undefined },
  { text: "10.0.0.256", canonical: undefined },
  { text: "10.0.0.7.", canonical: undefined },
  { text: "10.0.0.7/32", canonical: undefined },
  { text: "fe80::1%eth0", canonical: undefined },
  { text: "1::2::3", canonical: undefined },
  { text: "1:2:3:4:5:6:7:8:9", canonical: undefined },
  { text: "1:2:3:4:5:6:7::", canonical: "1:2:3:4:5:6:7:0" },
  { text: "1:2:3:4:5:6:7::8", canonical: undefined },
  { text: "1:2:3:4:5:6:7:8::", canonical: undefined },
  { text: "10.0.0.7::", canonical: undefined },
  { text: ":1:2:3:4:5:6:7", canonical: undefined },
  { text: "None", canonical: undefined },
  { text: "", canonical: undefined },
];

for (const { text, canonical } of CANONICAL) {
  test(`canonicalAddress() makes ${canonical} of "${text}"`, () => {
    assert.equal(canonicalAddress(text), canonical);
  });
}

test("canonicalAddress() takes what node:net takes, and leaves alone what it made itself", () => {
  const parts = fc.array(fc.constantFrom(..."0123456789abcdefF:.", "::", "ffff", "255."), { maxLength: 24 });
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    parts.map((all) => all.join("")),
  );
  fc.assert(
    fc.property(text, (address) => {
      const canonical = canonicalAddress(address);
      assert.equal(canonical !== undefined, isIP(address) !== 0, address);
      if (canonical !== undefined) assert.equal(canonicalAddress(canonical), canonical);
    }),
    { numRuns: 2000 },
  );
});

test("parseIpv4() and parseIpv6() undo formatIpv4() and formatIpv6()", () => {
  const word = fc.oneof(fc.constant(0), fc.nat(0xffff), fc.integer({ min: 0, max: 0xffffffff }));
  fc.assert(
    fc.property(fc.tuple(word, word, word, word), (words) => {
      assert.equal(parseIpv4(formatIpv4(words[0])), words[0]);
      assert.deepEqual(parseIpv6(formatIpv6(words)), words);
    }),
  );
});
