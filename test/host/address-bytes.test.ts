import assert from "node:assert/strict";
import { test } from "node:test";
import { writeIpv4, writeIpv6 } from "../../src/host/address-bytes.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

test("writeIpv4() writes four bytes at the place and nothing beside them", () => {
  const bytes = new Uint8Array(6).fill(0xee);
  assert.ok(writeIpv4("10.96.0.255", bytes, 1));
  assert.equal(hex(bytes), "ee0a6000ffee");
  assert.ok(writeIpv4("0.0.0.0", bytes, 1));
  assert.equal(hex(bytes), "ee00000000ee");
});

test("writeIpv4() takes no other text", () => {
  const texts = [
    "",
    ".",
    "1.2.3",
    "1.2.3.",
    ".1.2.3",
    "1.2.3.4.",
    "1.2.3.4.5",
    "1..2.3",
    "256.0.0.0",
    "1.2.3.a",
    "::1",
  ];
  for (const text of texts) assert.equal(writeIpv4(text, new Uint8Array(8), 0), false, text);
});

test("writeIpv6() writes 16 bytes at the place, from short and full texts", () => {
  const cases = [
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["fe80::", "fe800000000000000000000000000000"],
    ["2001:db8::8:800:200c:417a", "20010db80000000000080800200c417a"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["1:2:3:4:5:6:7::", "00010002000300040005000600070000"],
    ["::2:3:4:5:6:7:8", "00000002000300040005000600070008"],
    ["fd00:0066:0001:0000:0000:0000:0000:0002", "fd000066000100000000000000000002"],
    ["FD00::A", "fd00000000000000000000000000000a"],
  ] as const;
  for (const [text, expected] of cases) {
    const bytes = new Uint8Array(18).fill(0xee);
    assert.ok(writeIpv6(text, bytes, 1), text);
    assert.equal(hex(bytes), `ee${expected}ee`, text);
  }
});

test("writeIpv6() takes no other text, and writes nothing beyond its 16 bytes", () => {
  const texts = [
    "",
    ":",
    ":::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "12345::",
    "g::",
    "::1%eth0",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "10.0.0.1",
    "::ffff:10.0.0.1",
  ];
  for (const text of texts) {
    const bytes = new Uint8Array(18).fill(0xee);
    assert.equal(writeIpv6(text, bytes, 1), false, text);
    assert.equal(bytes[0], 0xee);
    assert.equal(bytes[17], 0xee, text);
  }
});
