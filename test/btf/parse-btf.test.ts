import assert from "node:assert/strict";
import { test } from "node:test";
import { BTF_KIND } from "../../src/btf/btf-kind.ts";
import { locateMember } from "../../src/btf/locate-member.ts";
import { parseBtf } from "../../src/btf/parse-btf.ts";
import { BtfWriter } from "../support/btf-writer.ts";

test("parseBtf() walks over every kind and finds the struct behind it", () => {
  for (const littleEndian of [true, false]) {
    const writer = new BtfWriter({ littleEndian });
    const int = writer.int("int", 4);
    writer.pointer(int);
    writer.array(int, 3);
    writer.union("u", 4, [{ name: "m", type: int, bits: 0 }]);
    writer.type(BTF_KIND.ENUM, "e", 4, { vlen: 2, tail: [0, 0, 0, 1] });
    for (const kind of [BTF_KIND.FWD, BTF_KIND.FLOAT]) writer.type(kind, "n", 8);
    for (const kind of [
      BTF_KIND.TYPEDEF,
      BTF_KIND.VOLATILE,
      BTF_KIND.CONST,
      BTF_KIND.RESTRICT,
      BTF_KIND.TYPE_TAG,
    ]) {
      writer.type(kind, "t", int);
    }
    const proto = writer.type(BTF_KIND.FUNC_PROTO, "", int, { vlen: 2, tail: [0, int, 0, 0] });
    writer.type(BTF_KIND.FUNC, "f", proto, { vlen: 1 });
    writer.type(BTF_KIND.VAR, "v", int, { tail: [1] });
    writer.type(BTF_KIND.DATASEC, ".data", 4, { vlen: 1, tail: [1, 0, 4] });
    writer.type(BTF_KIND.DECL_TAG, "d", int, { tail: [0xffffffff] });
    writer.type(BTF_KIND.ENUM64, "e64", 8, { vlen: 1, tail: [0, 1, 1] });
    const last = writer.struct("s", 8, [{ name: "m", type: int, bits: 32 }]);
    const btf = parseBtf(writer.bytes());
    assert.equal(btf.typeOffsets.length, last);
    assert.deepEqual(locateMember(btf, "s", "m"), { offset: 4, size: 4 });
    assert.deepEqual(locateMember(btf, "u", "m"), { offset: 0, size: 4 });
  }
});

test("parseBtf() accepts a header that later kernels made longer", () => {
  const writer = new BtfWriter({ headerLength: 32 });
  writer.struct("s", 4, [{ name: "m", type: writer.int("int", 4), bits: 0 }]);
  assert.deepEqual(locateMember(parseBtf(writer.bytes()), "s", "m"), { offset: 0, size: 4 });
});

test("parseBtf() reads more members than 16 bits count", () => {
  const writer = new BtfWriter();
  const int = writer.int("int", 4);
  const members = Array.from({ length: 70_000 }, (_, index) => ({ name: "", type: int, bits: index * 32 }));
  writer.struct("big", 280_004, [...members, { name: "last", type: int, bits: 70_000 * 32 }]);
  assert.deepEqual(locateMember(parseBtf(writer.bytes()), "big", "last"), { offset: 280_000, size: 4 });
});

const GOOD = blob();

for (const { name, bytes, message } of [
  { name: "no bytes", bytes: new Uint8Array(), message: /0 bytes are less than a header/ },
  { name: "a header cut short", bytes: GOOD.subarray(0, 23), message: /23 bytes are less than a header/ },
  { name: "another magic", bytes: changed(0, 0x7f), message: /magic is 0xeb7f/ },
  { name: "another version", bytes: changed(2, 2), message: /version is 2/ },
  { name: "a header shorter than it can be", bytes: changed(4, 8), message: /header length is 8/ },
  { name: "types beyond the end", bytes: changed(15, 0xff), message: /types end at/ },
  { name: "strings beyond the end", bytes: GOOD.subarray(0, -1), message: /strings stand at/ },
  { name: "no strings", bytes: changed(20, 0), message: /strings stand at/ },
  {
    name: "strings without a last NUL",
    bytes: changed(GOOD.length - 1, 65),
    message: /begin and end with NUL/,
  },
  { name: "a kind that is not known", bytes: changed(24 + 7, 20), message: /type 1 has unknown kind 20/ },
  { name: "kind 0", bytes: changed(24 + 7, 0), message: /type 1 has unknown kind 0/ },
  { name: "a type cut off in its members", bytes: changed(24 + 16 + 4, 200), message: /type 2 is cut off/ },
  { name: "a type cut off in itself", bytes: changed(12, 20), message: /type 2 is cut off/ },
]) {
  test(`parseBtf() throws a SyntaxError on ${name}`, () => {
    assert.throws(() => parseBtf(bytes), { name: "SyntaxError", message });
  });
}

function blob(): Uint8Array {
  const writer = new BtfWriter();
  writer.struct("s", 4, [{ name: "m", type: writer.int("int", 4), bits: 0 }]);
  return writer.bytes();
}

function changed(at: number, value: number): Uint8Array {
  const bytes = Uint8Array.from(GOOD);
  bytes[at] = value;
  return bytes;
}
