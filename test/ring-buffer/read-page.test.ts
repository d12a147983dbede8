import assert from "node:assert/strict";
import { test } from "node:test";
import type { PageLayout } from "../../src/ring-buffer/page-layout.ts";
import { PAGE_FAULTS, type PageEpoch, type PageResult, readPage } from "../../src/ring-buffer/read-page.ts";
import { LAYOUT_4K, pageEpoch, pageWriter } from "../support/page-writer.ts";
import { parseXxd } from "../support/xxd.ts";

type Visit = readonly [payload: string, time: number];
const ZERO: PageEpoch = { hi: 0, lo: 0 };
const LAYOUT_32BIT: PageLayout = {
  commitOffset: 8,
  commitSize: 4,
  dataOffset: 12,
  dataSize: 4084,
  pageSize: 4096,
};

test("readPage() reads a short record, a long one and a time extend from literal bytes", () => {
  const dump = `
    00000000: e803 0000 0000 0000 2c00 0000 0000 0000  ........,.......
    00000010: 4201 0000 6162 6364 6566 6768 be00 0000  B...abcdefgh....
    00000020: 0200 0000 2000 0000 0c00 0000 696a 6b6c  .... .......ijkl
    00000030: 6d6e 6f70 6100 0000 7172 7374            mnopa...qrst`;
  // 0x142: type 2, delta 10. 0xbe: type 30, delta 5, and 2 << 27. 0x20: type 0, delta 1. 0x61: type 1, delta 3.
  const { visits, result } = read(parseXxd(dump));
  assert.deepEqual(visits, [
    ["abcdefgh", 1010],
    ["ijklmnop", 1010 + 2 * 2 ** 27 + 5 + 1],
    ["qrst", 1010 + 2 * 2 ** 27 + 5 + 1 + 3],
  ]);
  assert.deepEqual(result, { records: 3, missed: 0, fault: undefined, endTime: 1010 + 2 * 2 ** 27 + 9 });
});

test("readPage() gives no record and the page's time for an empty page", () => {
  const { visits, result } = read(pageWriter({ time: 77 }).bytes());
  assert.deepEqual(visits, []);
  assert.deepEqual(result, { records: 0, missed: 0, fault: undefined, endTime: 77 });
});

test("readPage() counts time from the epoch across the 32-bit border, both ways, without loss", () => {
  const epoch = pageEpoch(0x1234_5678_ffff_fff0n);
  for (const time of [0x20, 2 ** 52 + 1, -0x10, -(2 ** 40)]) {
    const page = pageWriter({ time, epoch }).record(3, text("abcd")).bytes();
    assert.deepEqual(read(page, { epoch }).visits, [["abcd", time + 3]]);
  }
});

test("readPage() adds a discarded record's delta and visits it not", () => {
  const page = pageWriter({ time: 100 })
    .record(1, text("abcd"))
    .padding(50, 12)
    .record(2, text("efgh"))
    .bytes();
  const { visits, result } = read(page);
  assert.deepEqual(visits, [
    ["abcd", 101],
    ["efgh", 153],
  ]);
  assert.equal(result.records, 2);
});

test("readPage() takes a time stamp as absolute", () => {
  const epoch = pageEpoch(5_000_000_000n);
  const page = pageWriter({ time: 10, epoch }).timeStamp(5_000_000_123n).record(4, text("abcd")).bytes();
  assert.deepEqual(read(page, { epoch }).visits, [["abcd", 127]]);
});

test("readPage() keeps the top 5 bits of the time before a time stamp", () => {
  const base = (3n << 59n) + 1000n;
  const epoch = pageEpoch(base);
  const page = pageWriter({ epoch })
    .timeStamp(base + 500n)
    .record(1, text("abcd"))
    .bytes();
  assert.deepEqual(read(page, { epoch }).visits, [["abcd", 501]]);
});

test("readPage() carries a time stamp over the 59-bit border as rb_fix_abs_ts does", () => {
  const base = (4n << 59n) - 100n;
  const epoch = pageEpoch(base);
  const page = pageWriter({ epoch })
    .timeStamp(base + 300n)
    .record(0, text("abcd"))
    .bytes();
  const [visit] = read(page, { epoch }).visits;
  // 2^59 is beyond what a number holds exactly together with 300.
  assert.ok(Math.abs((visit?.[1] ?? 0) - 300) < 128, `${visit?.[1]}`);
});

test("readPage() takes a payload of 112 bytes as short and of 116 with a length word", () => {
  const page = pageWriter().record(1, new Uint8Array(112)).record(1, new Uint8Array(116)).bytes();
  assert.equal(page[16], (1 << 5) | 28);
  assert.equal(page[16 + 116], 1 << 5);
  const lengths: number[] = [];
  readPage(new DataView(page.buffer), page.length, LAYOUT_4K, ZERO, (_, length) => lengths.push(length));
  assert.deepEqual(lengths, [112, 116]);
});

for (const { name, layout, missed, length, expected } of [
  { name: "0 without the flag", layout: LAYOUT_4K, missed: 0, length: 8, expected: 0 },
  { name: "the stored count", layout: LAYOUT_4K, missed: 434, length: 8, expected: 434 },
  {
    name: "a stored count of more than 32 bits",
    layout: LAYOUT_4K,
    missed: 2 ** 33 + 1,
    length: 8,
    expected: 2 ** 33 + 1,
  },
  { name: "the stored count of a 32-bit kernel", layout: LAYOUT_32BIT, missed: 9, length: 8, expected: 9 },
  {
    name: "-1 where no count is stored",
    layout: LAYOUT_4K,
    missed: "unknown" as const,
    length: 8,
    expected: -1,
  },
]) {
  test(`readPage() gives as missed ${name}`, () => {
    const page = pageWriter({ layout, missed }).record(1, new Uint8Array(length)).bytes();
    const { result } = read(page, { layout });
    assert.deepEqual(result, { records: 1, missed: expected, fault: undefined, endTime: 1 });
  });
}

test("readPage() gives as missed -1 where the stored count goes beyond the page", () => {
  const page = pageWriter({ missed: 7 }).record(1, new Uint8Array(8)).bytes();
  assert.equal(read(page.subarray(0, 16 + 12 + 7)).result.missed, -1);
  assert.equal(read(page.subarray(0, 16 + 12 + 8)).result.missed, 7);
});

test("readPage() reads at the view's own place in a larger buffer", () => {
  const page = pageWriter({ time: 5 }).record(1, text("abcd")).bytes();
  const shared = new Uint8Array(8192);
  shared.set(page, 4096);
  assert.deepEqual(read(shared.subarray(4096)).visits, [["abcd", 6]]);
});

const FAULTS: readonly { name: string; fault: PageResult["fault"]; page: Uint8Array; before: number }[] = [
  { name: "no bytes", fault: "short-page", page: new Uint8Array(), before: 0 },
  { name: "15 bytes", fault: "short-page", page: new Uint8Array(15), before: 0 },
  {
    name: "commit larger than the page",
    fault: "commit-overflow",
    page: pageWriter({ commit: 4081 }).bytes(),
    before: 0,
  },
  {
    name: "commit larger than what was read",
    fault: "commit-overflow",
    page: pageWriter().record(1, text("abcd")).bytes().subarray(0, 23),
    before: 0,
  },
  {
    name: "two bytes where a header should be",
    fault: "short-header",
    page: pageWriter().record(1, text("abcd")).raw(Uint8Array.of(1, 0)).bytes(),
    before: 1,
  },
  {
    name: "a data record without its length word",
    fault: "short-header",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32(1 << 5)
      .bytes(),
    before: 1,
  },
  {
    name: "padding without its length word",
    fault: "short-header",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32((1 << 5) | 29)
      .bytes(),
    before: 1,
  },
  {
    name: "a time extend cut in half",
    fault: "short-header",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32((1 << 5) | 30)
      .raw(Uint8Array.of(0, 0, 0))
      .bytes(),
    before: 1,
  },
  {
    name: "a time stamp cut in half",
    fault: "short-header",
    page: pageWriter().record(1, text("abcd")).u32(31).bytes(),
    before: 1,
  },
  {
    name: "a length word of 0",
    fault: "zero-length",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32(1 << 5)
      .u32(0)
      .bytes(),
    before: 1,
  },
  {
    name: "a length word that counts itself only",
    fault: "zero-length",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32(1 << 5)
      .u32(4)
      .bytes(),
    before: 1,
  },
  {
    name: "a short record longer than the data",
    fault: "end-overflow",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32((1 << 5) | 2)
      .raw(text("abcd"))
      .bytes(),
    before: 1,
  },
  {
    name: "a long record longer than the data",
    fault: "end-overflow",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32(1 << 5)
      .u32(12)
      .raw(text("abcd"))
      .bytes(),
    before: 1,
  },
  {
    name: "a long record of 4 GiB",
    fault: "end-overflow",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32(1 << 5)
      .u32(0xffffffff)
      .raw(text("abcd"))
      .bytes(),
    before: 1,
  },
  {
    name: "a discarded record longer than the data",
    fault: "end-overflow",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32((1 << 5) | 29)
      .u32(8)
      .bytes(),
    before: 1,
  },
  {
    name: "padding that has no length",
    fault: "null-padding",
    page: pageWriter().record(1, text("abcd")).nullPadding().record(1, text("abcd")).bytes(),
    before: 1,
  },
  {
    name: "padding shorter than its length word",
    fault: "bad-padding",
    page: pageWriter()
      .record(1, text("abcd"))
      .u32((1 << 5) | 29)
      .u32(3)
      .bytes(),
    before: 1,
  },
];

for (const { name, fault, page, before } of FAULTS) {
  test(`readPage() gives ${fault} on ${name}, and what came before stands`, () => {
    const { visits, result } = read(page);
    assert.equal(result.fault, fault);
    assert.equal(result.records, before);
    assert.deepEqual(visits, before === 1 ? [["abcd", 1]] : []);
  });
}

test("readPage() has a case for every fault", () => {
  assert.deepEqual(new Set(FAULTS.map(({ fault }) => fault)), new Set(PAGE_FAULTS));
});

test("readPage() gives short-page when told of more bytes than the view has", () => {
  const page = pageWriter().bytes();
  assert.equal(readPage(new DataView(page.buffer), 4097, LAYOUT_4K, ZERO, () => {}).fault, "short-page");
});

function read(page: Uint8Array, options: { epoch?: PageEpoch; layout?: PageLayout } = {}) {
  const { epoch = ZERO, layout = LAYOUT_4K } = options;
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const visits: Visit[] = [];
  const result = readPage(view, page.byteLength, layout, epoch, (offset, length, time) => {
    visits.push([Buffer.from(page.subarray(offset, offset + length)).toString("latin1"), time]);
  });
  return { visits, result };
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
