import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { type PageLayout, parseHeaderPage } from "../../src/ring-buffer/page-layout.ts";
import { PAGE_FAULTS, type PageResult, readPage } from "../../src/ring-buffer/read-page.ts";
import { FUZZ_RUNS, mutatedBytes, mutatedText } from "../support/fuzz.ts";
import { LAYOUT_4K, type PageWriter, pageEpoch, pageWriter } from "../support/page-writer.ts";
import { parseXxd } from "../support/xxd.ts";

const EPOCH = pageEpoch(0x17_8000_0000n);
const REAL = ["6.18-tcp", "6.18-tcp-overrun"].map((name) => parseXxd(fixture(`${name}.xxd`)));
const WRITTEN = [
  writeAll(pageWriter({ epoch: EPOCH, time: 5, missed: 3 })),
  writeAll(pageWriter({ epoch: EPOCH, time: 5, missed: "unknown" })),
];

test("readPage() stays inside the page on any change of a real page", () => {
  fc.assert(
    fc.property(mutatedBytes(REAL), (page) => check(page, LAYOUT_4K)),
    FUZZ_RUNS,
  );
});

test("readPage() stays inside the page on any change of a page with every record type", () => {
  fc.assert(
    fc.property(mutatedBytes(WRITTEN), (page) => check(page, LAYOUT_4K)),
    FUZZ_RUNS,
  );
});

test("parseHeaderPage() throws only SyntaxErrors, and what it accepts readPage() can use", () => {
  const page = REAL[0]!;
  const property = fc.property(mutatedText(fixture("6.18-header-page.txt")), (text) => {
    const layout = layoutOf(text);
    if (layout !== undefined) check(page, layout);
  });
  fc.assert(property, FUZZ_RUNS);
});

test("readPage() gives back every record that was written, with its time", () => {
  const delta = fc.oneof(fc.nat(1000), fc.nat(2 ** 40));
  const record = fc.record({
    kind: fc.constant("record" as const),
    delta,
    size: fc.integer({ min: 1, max: 40 }),
  });
  const padding = fc.record({
    kind: fc.constant("padding" as const),
    delta: fc.integer({ min: 1, max: 99 }),
    size: fc.nat(9),
  });
  const steps = fc.array(fc.oneof({ weight: 4, arbitrary: record }, padding), { maxLength: 16 });
  const property = fc.property(steps, fc.nat(2 ** 40), (steps, start) => {
    const writer = pageWriter({ epoch: EPOCH, time: start });
    const expected: number[] = [];
    let time = start;
    for (const { kind, delta, size } of steps) {
      time += delta;
      if (kind === "padding") writer.padding(delta, size * 4);
      else {
        writer.record(delta, new Uint8Array(size * 4));
        expected.push(size * 4, time);
      }
    }
    const page = writer.bytes();
    const seen: number[] = [];
    readPage(new DataView(page.buffer), page.length, LAYOUT_4K, EPOCH, (_, length, time) =>
      seen.push(length, time),
    );
    assert.deepEqual(seen, expected);
  });
  fc.assert(property, FUZZ_RUNS);
});

function check(page: Uint8Array, layout: PageLayout): void {
  let visits = 0;
  let last = layout.dataOffset;
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const result: PageResult = readPage(view, page.length, layout, EPOCH, (offset, length, time) => {
    // Plain comparisons: assert in a million visits would be most of the run.
    if (offset < last + 4 || length <= 0 || offset + length > page.length || !Number.isFinite(time)) {
      assert.fail(`visited ${length} bytes at ${offset} of ${page.length}, time ${time}`);
    }
    last = offset + length;
    visits += 1;
  });
  if (result.records !== visits || result.missed < -1 || !Number.isFinite(result.endTime))
    assert.fail(`${result}`);
  if (result.fault !== undefined && !PAGE_FAULTS.includes(result.fault)) assert.fail(result.fault);
}

function layoutOf(text: string): PageLayout | undefined {
  try {
    return parseHeaderPage(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function writeAll(writer: PageWriter): Uint8Array {
  const payload = new Uint8Array(16).fill(0x55);
  for (let round = 0; round < 3; round += 1) {
    writer
      .record(1, payload)
      .longRecord(2, payload)
      .timeExtend(2 ** 30)
      .padding(3, 8)
      .timeStamp(2n ** 37n);
  }
  return writer.bytes().slice(0, 16 + writer.length + 16);
}

function fixture(file: string): string {
  return readFileSync(new URL(`../fixtures/ring-buffer/${file}`, import.meta.url), "utf8");
}
