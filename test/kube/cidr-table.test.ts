import assert from "node:assert/strict";
import { BlockList, isIPv4 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalAddress } from "../../src/event/ip-address.ts";
import { CidrTable } from "../../src/kube/cidr-table.ts";

test("CidrTable.find() gives the value of the smallest range", () => {
  const table = new CidrTable<string>();
  for (const cidr of ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.1.1", "fd00::/8", "fd00:1::/33"]) {
    table.set(cidr, cidr);
  }
  assert.equal(table.find("192.0.2.1"), "0.0.0.0/0");
  assert.equal(table.find("10.2.0.0"), "10.0.0.0/8");
  assert.equal(table.find("10.1.1.0"), "10.1.0.0/16");
  assert.equal(table.find("10.1.1.1"), "10.1.1.1");
  assert.equal(table.find("fd00:1::1"), "fd00:1::/33");
  assert.equal(table.find("fd00:1:8000::1"), "fd00::/8");
  assert.equal(table.find("fe80::1"), undefined);
  table.delete("10.1.0.0/16");
  assert.equal(table.find("10.1.1.0"), "10.0.0.0/8", "the answer before is not remembered");
});

test("CidrTable takes a v4-mapped range as one of IPv4, and a range by any address in it", () => {
  const table = new CidrTable<number>();
  table.set("::ffff:10.1.0.0/112", 1);
  table.set("10.9.8.7/16", 2);
  assert.equal(table.find("10.1.2.3"), 1);
  assert.equal(table.get("10.9.0.0/16"), 2);
});

for (const text of [
  "10.0.0.0/33",
  "fd00::/129",
  "10.0.0.0/8/8",
  "10.0.0/8",
  "10.0.0.0/x",
  "10.0.0.0/",
  "",
  "any",
]) {
  test(`CidrTable refuses "${text}"`, () => {
    const table = new CidrTable<number>();
    assert.throws(() => table.set(text, 1), RangeError);
    assert.equal(table.isRange(text), false);
    assert.equal(table.get(text), undefined);
    table.delete(text);
  });
}

test("CidrTable.find() agrees with node:net over random ranges", () => {
  const cidr = fc.oneof(
    fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, bits]) => `${address}/${bits}`),
    fc.tuple(fc.ipV6(), fc.nat(128)).map(([address, bits]) => `${address}/${bits}`),
  );
  const property = fc.property(
    fc.array(cidr, { maxLength: 8 }),
    fc.oneof(fc.ipV4(), fc.ipV6()),
    (cidrs, address) => {
      const table = new CidrTable<string>();
      const text = canonicalAddress(address) ?? "";
      const family = isIPv4(text) ? "ipv4" : "ipv6";
      const blocks = new BlockList();
      for (const range of cidrs) {
        const [base = "", bits] = range.split("/");
        const known = canonicalAddress(base) ?? "";
        // BlockList has its own idea of ranges around ::ffff:0:0/96.
        if (isIPv4(known) !== isIPv4(base) || isIPv4(known) !== (family === "ipv4")) continue;
        table.set(range, range);
        blocks.addSubnet(known, Number(bits), family);
      }
      assert.equal(table.find(text) !== undefined, blocks.check(text, family), text);
      assert.equal(table.find(text), table.find(text));
    },
  );
  fc.assert(property, { numRuns: 1000 });
});
