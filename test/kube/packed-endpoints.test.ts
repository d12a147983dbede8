import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addressHash, PackedEndpoints } from "../../src/kube/packed-endpoints.ts";

/** As the API server makes them, and one that it does not. */
const UIDS = [
  "0a000001-0a00-4001-8a00-00010a000001",
  "ffffffff-ffff-4fff-bfff-ffffffffffff",
  "00000000-0000-4000-8000-000000000000",
  "FFFFFFFF-ffff-4fff-bfff-ffffffffffff",
];

const endpoints = fc.array(
  fc.record({
    address: fc.constantFrom(
      "10.0.0.1",
      "10.0.0.11",
      "110.0.0.1",
      "255.255.255.255",
      "fd00::1",
      "fd00::11",
      "fd00::1:1",
    ),
    ready: fc.boolean(),
    podUid: fc.option(fc.constantFrom(...UIDS, "a", "b", "10.0.0.1", "fd00::1", "x\n10.0.0.1 y", "x y"), {
      nil: undefined,
    }),
  }),
);

test("PackedEndpoints gives what a list of the same endpoints gives, but for uids that are no words", () => {
  const property = fc.property(endpoints, (given) => {
    const packed = new PackedEndpoints(given);
    assert.deepEqual(packed.hashes(), new Set(given.map(({ address }) => addressHash(address))));
    for (const address of [
      "10.0.0.1",
      "10.0.0.11",
      "255.255.255.255",
      "0.0.0.1",
      "fd00::1",
      "fd00::",
      "1",
      "",
      "y",
    ]) {
      const here = given.filter((each) => each.address === address);
      assert.equal(packed.has(address), here.length > 0, address);
      const uids = here.map(({ podUid = "" }) => podUid).filter((uid) => /^\S+$/.test(uid));
      assert.deepEqual([...packed.podUids(address)].sort(), uids.sort(), address);
    }
  });
  fc.assert(property, { numRuns: Number(process.env["FUZZ_RUNS"] ?? 300) });
});

test("addressHash() is the address itself for IPv4, and a small integer for any text", () => {
  assert.equal(addressHash("0.0.1.2"), 258);
  assert.equal(addressHash("255.255.255.255"), -1);
  for (const text of ["fd00:10:244::5", "", "x".repeat(1000)]) {
    assert.equal(addressHash(text), addressHash(text) | 0, text);
  }
});
