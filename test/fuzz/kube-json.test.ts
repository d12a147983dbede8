import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ItemScanner } from "../../src/kube/json-items.ts";
import { LineSplitter } from "../../src/kube/json-lines.ts";
import { recorded } from "../kube/scripted-server.ts";
import { FUZZ_RUNS, mutatedBytes } from "../support/fuzz.ts";

const LISTS = ["page-1.json", "page-2.json"].map((name) => Buffer.from(recorded(name)));
const WATCHES = ["streaming-list.ndjson", "watch.ndjson", "watch-expired.ndjson"].map((name) =>
  Buffer.from(recorded(name)),
);
const MAX_BYTES = 1 << 20;

/** Where to cut, as shares of the whole. */
const cuts = fc.array(fc.nat(9_999), { maxLength: 20 });

test("ItemScanner gives the same items for every chunking of any JSON", () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  const list = fc.tuple(fc.array(value), fc.dictionary(fc.string(), value)).map(([items, members]) => {
    const { items: _, ...others } = members;
    return { items, text: JSON.stringify({ ...others, items, metadata: { continue: "é漢😀" } }) };
  });
  const property = fc.property(list, cuts, ({ items, text }, at) => {
    const found = scan(chunksOf(Buffer.from(text), at));
    assert.equal(found.complete, true);
    assert.deepEqual(
      found.items,
      items.map((item) => JSON.stringify(item)),
    );
  });
  fc.assert(property, FUZZ_RUNS);
});

test("ItemScanner takes any change of a real list, and finds the same in it for every chunking", () => {
  const property = fc.property(mutatedBytes(LISTS), cuts, (bytes, at) => {
    const found = scan(chunksOf(bytes, at));
    assert.deepEqual(found, scan([bytes]));
    if (found.items.join("").length > bytes.length) assert.fail("more than there is");
  });
  fc.assert(property, FUZZ_RUNS);
});

test("LineSplitter takes any change of a real watch, and finds the same in it for every chunking", () => {
  const property = fc.property(mutatedBytes(WATCHES), cuts, (bytes, at) => {
    const text = Buffer.from(bytes).toString("utf8");
    const lines = text
      .split("\n")
      .slice(0, -1)
      .filter((line) => line !== "");
    assert.deepEqual(split(chunksOf(bytes, at)), lines);
  });
  fc.assert(property, FUZZ_RUNS);
});

function chunksOf(bytes: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const places = cuts.map((share) => Math.floor((share * bytes.length) / 10_000)).sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

function scan(chunks: readonly Uint8Array[]) {
  const items: (string | undefined)[] = [];
  const scanner = new ItemScanner({ maxBytes: MAX_BYTES, item: (text) => items.push(text) });
  for (const chunk of chunks) scanner.push(chunk);
  return { items, ...scanner.end() };
}

function split(chunks: readonly Uint8Array[]) {
  const lines: (string | undefined)[] = [];
  const splitter = new LineSplitter({ maxBytes: MAX_BYTES, line: (text) => lines.push(text) > 0 });
  for (const chunk of chunks) splitter.push(chunk);
  return lines;
}
