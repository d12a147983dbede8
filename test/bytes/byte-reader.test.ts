import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "../../src/bytes/byte-reader.ts";

const BYTES = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);

test("ByteReader reads little-endian numbers in turn", () => {
  const reader = new ByteReader(BYTES, { littleEndian: true });
  assert.equal(reader.u8(), 1);
  assert.equal(reader.u16(), 0x0302);
  assert.equal(reader.u32(), 0x07060504);
  assert.equal(reader.remaining, 2);
  assert.equal(reader.seek(1).u64(), 0x0908070605040302n);
});

test("ByteReader reads big-endian numbers in turn", () => {
  const reader = new ByteReader(BYTES, { littleEndian: false });
  assert.equal(reader.u16(), 0x0102);
  assert.equal(reader.u32(), 0x03040506);
  assert.equal(reader.seek(0).u64(), 0x0102030405060708n);
});

test("ByteReader sees only its own part of a larger buffer", () => {
  const reader = new ByteReader(BYTES.subarray(2, 4), { littleEndian: true });
  assert.equal(reader.length, 2);
  assert.equal(reader.u16(), 0x0403);
  assert.throws(() => reader.u8(), RangeError);
});

test("ByteReader.bytes() gives a view, not a copy", () => {
  const memory = Uint8Array.from(BYTES);
  const part = new ByteReader(memory, { littleEndian: true }).skip(1).bytes(2);
  memory[1] = 99;
  assert.deepEqual([...part], [99, 3]);
});

for (const { name, at, read } of [
  { name: "u8()", at: 9, read: (reader: ByteReader) => reader.u8() },
  { name: "u16()", at: 8, read: (reader: ByteReader) => reader.u16() },
  { name: "u32()", at: 6, read: (reader: ByteReader) => reader.u32() },
  { name: "u64()", at: 2, read: (reader: ByteReader) => reader.u64() },
  { name: "bytes()", at: 2, read: (reader: ByteReader) => reader.bytes(8) },
  { name: "bytes() of a negative count", at: 2, read: (reader: ByteReader) => reader.bytes(-1) },
  { name: "skip()", at: 2, read: (reader: ByteReader) => reader.skip(8) },
  { name: "seek()", at: 2, read: (reader: ByteReader) => reader.seek(10) },
  { name: "seek() to a fraction", at: 2, read: (reader: ByteReader) => reader.seek(0.5) },
]) {
  test(`ByteReader.${name} throws a RangeError beyond the end and moves nothing`, () => {
    const reader = new ByteReader(BYTES, { littleEndian: true }).seek(at);
    assert.throws(() => read(reader), RangeError);
    assert.equal(reader.offset, at);
  });
}

test("ByteReader says what it could not read and where", () => {
  const reader = new ByteReader(BYTES, { littleEndian: true }).seek(7);
  assert.throws(() => reader.u32(), { message: "Cannot read 4 bytes at byte 7: there are 9" });
  assert.equal(reader.offset, 7);
});
