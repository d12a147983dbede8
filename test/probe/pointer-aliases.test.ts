import assert from "node:assert/strict";
import { test } from "node:test";
import { PointerAliases, recordScrubber, scrubStack, scrubUnknown } from "../../src/probe/pointer-aliases.ts";
import type { EventFormat } from "../../src/tracefs/event-format.ts";
import { parseEventFormat } from "../../src/tracefs/event-format.ts";
import { eventRecord, type FieldValue, probeFormat, stackRecord } from "../support/event-record.ts";
import { kernelFormat, recordingHeader } from "../support/kernels.ts";

const SOCKET = 0xffff_8880_1234_5640n;
const OTHER = 0xffff_c900_0000_0010n;
/** Every byte of stale memory; eight of them are `0xffa5…`-like only by chance, so they are looked for as they are. */
const STALE = 0xff;

test("PointerAliases.of() gives equal aliases for equal addresses, and others for others", () => {
  const aliases = new PointerAliases();
  const alias = aliases.of(SOCKET);
  assert.notEqual(alias, SOCKET);
  assert.equal(aliases.of(SOCKET), alias);
  assert.notEqual(aliases.of(OTHER), alias);
});

test("PointerAliases.of() gives what still is a kernel address with the same tag bits", () => {
  const aliases = new PointerAliases();
  for (const tag of [0n, 1n, 2n, 7n]) {
    const alias = aliases.of(SOCKET + tag);
    assert.equal(alias >> 56n, 0xffn);
    assert.equal(alias & 7n, tag);
  }
});

test("PointerAliases.of() keeps what is no kernel address", () => {
  const aliases = new PointerAliases();
  for (const value of [0n, 1n, 0x7fff_0000_1000n, 0x00ff_ffff_ffff_ffffn])
    assert.equal(aliases.of(value), value);
});

function scrub(
  format: EventFormat,
  values: Record<string, FieldValue>,
  { length }: { length?: number } = {},
) {
  const record = eventRecord(format, values, { stale: STALE });
  const page = new Uint8Array(record.length + 32).fill(0x11);
  page.set(record, 8);
  const view = new DataView(page.buffer);
  recordScrubber(format, new PointerAliases())(view, 8, length ?? record.length);
  const field = (name: string) => {
    const place = format.fields.find((candidate) => candidate.name === name)!;
    return page.slice(8 + place.offset, 8 + place.offset + place.size);
  };
  return { page, field, record };
}

const attempt = kernelFormat("6.12", "attempt");
const LOCAL = [10, 0, 0, 1];

test("recordScrubber() replaces every pointer of a kprobe and keeps every other field", () => {
  const values = {
    sk: SOCKET,
    net: OTHER,
    ns: 7,
    cgp: OTHER,
    cg: 9,
    __probe_ip: OTHER,
    fam: 2,
    s4: LOCAL,
    d4: LOCAL,
    lp: 5,
  };
  const { field } = scrub(attempt, values);
  for (const name of ["sk", "net", "cgp", "__probe_ip"]) {
    const value = Buffer.from(field(name)).readBigUInt64LE();
    assert.ok(value >> 32n === 0xffff8000n, `${name} is ${value.toString(16)}`);
  }
  assert.deepEqual(field("net"), field("cgp"), "equal addresses, equal aliases");
  assert.deepEqual([...field("ns")], [7, 0, 0, 0]);
  assert.equal(field("cg")[0], 9);
  assert.deepEqual([...field("s4")], LOCAL);
  assert.deepEqual([...field("lp")], [5, 0]);
});

for (const { name, pointer } of [
  { name: "0", pointer: 0n },
  { name: "tagged", pointer: SOCKET + 1n },
]) {
  test(`recordScrubber() clears what stands behind a pointer that is ${name}`, () => {
    const behind = { net: pointer, ns: 0xdeadbeef, cgp: pointer, cg: OTHER };
    const { field } = scrub(attempt, { sk: SOCKET, fam: 2, ...behind });
    assert.deepEqual([...field("ns")], [0, 0, 0, 0]);
    assert.deepEqual([...field("cg")], [0, 0, 0, 0, 0, 0, 0, 0]);
  });
}

for (const { family, used, unused } of [
  { family: 2, used: ["s4", "d4"], unused: ["s6", "d6"] },
  { family: 10, used: ["s6", "d6"], unused: ["s4", "d4"] },
]) {
  test(`recordScrubber() clears the addresses that a socket of family ${family} does not have`, () => {
    const { field } = scrub(attempt, { sk: SOCKET, fam: family });
    for (const name of unused)
      assert.ok(
        field(name).every((byte) => byte === 0),
        name,
      );
    for (const name of used)
      assert.ok(
        field(name).every((byte) => byte === STALE),
        name,
      );
  });
}

test("recordScrubber() clears bytes of no field, and those behind the last", () => {
  const format = parseEventFormat(`name: gap
ID: 3
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;
	field:u8 a;	offset:8;	size:1;	signed:0;
	field:u64 b;	offset:16;	size:8;	signed:0;
`);
  const { page } = scrub(format, { a: 1, b: 2 }, { length: 28 });
  assert.deepEqual(
    [...page.slice(8 + 8, 8 + 28)],
    [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  );
  assert.equal(page[8 + 28], 0x11, "not beyond the record");
});

test("recordScrubber() leaves only the common header of a record that is too short for its format", () => {
  const { page } = scrub(attempt, { sk: SOCKET }, { length: 40 });
  assert.ok(page.slice(16, 48).every((byte) => byte === 0));
  assert.equal(page[48], STALE, "not beyond the record");
});

test("recordScrubber() takes a field of another size than a pointer for none", () => {
  const format = probeFormat("p", 3, ["sk:4", "x:4"]);
  const { field } = scrub(format, { sk: 0xffff8880, x: 1 });
  assert.deepEqual([...field("sk")], [0x80, 0x88, 0xff, 0xff]);
});

test("scrubUnknown() leaves only the common header", () => {
  const bytes = new Uint8Array(24).fill(9);
  scrubUnknown(new DataView(bytes.buffer), 2, 20);
  assert.deepEqual([...bytes], [...Array(10).fill(9), ...Array(12).fill(0), 9, 9]);
});

test("scrubStack() replaces every address, also beyond the size that the record tells", () => {
  const format = parseEventFormat(recordingHeader("6.12-stacks").stackFormat!);
  const record = stackRecord(format, [SOCKET, OTHER, SOCKET], { size: 2 });
  record.fill(STALE, 12, 16);
  const seen: bigint[] = [];
  scrubStack(new DataView(record.buffer), 0, record.length, (address) => {
    seen.push(address);
    return 5n;
  });
  assert.deepEqual(seen, [SOCKET, OTHER, SOCKET]);
  const view = new DataView(record.buffer);
  assert.deepEqual([view.getInt32(8, true), view.getInt32(12, true)], [2, 0]);
  for (const at of [16, 24, 32]) assert.equal(view.getBigUint64(at, true), 5n);
});
