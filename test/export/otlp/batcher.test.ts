import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Batcher } from "../../../src/export/otlp/batcher.ts";
import { virtualClock } from "./settings.ts";

interface Put {
  readonly gzipped: Uint8Array;
  readonly items: number;
}

/** Items are texts; a request is their text in a row. */
function batcher(maxItems = 3) {
  const clock = virtualClock();
  const put: Put[] = [];
  const made = new Batcher<string>({
    maxItems,
    delayMs: 1000,
    encode: (items) => Buffer.from(items.join("")),
    put: (gzipped, items) => put.push({ gzipped, items }),
    clock,
  });
  const texts = () => put.map(({ gzipped }) => gunzipSync(gzipped).toString());
  return { made, clock, put, texts };
}

test("Batcher makes a request of the most that it may have, or of what there is after a while", async () => {
  const { made, clock, put, texts } = batcher();
  for (const item of ["a", "b", "c", "d"]) made.add(item);
  assert.deepEqual(texts(), ["abc"]);
  assert.equal(made.length, 1);
  await clock.run();
  assert.deepEqual(texts(), ["abc", "d"]);
  assert.deepEqual(
    put.map(({ items }) => items),
    [3, 1],
  );
  assert.equal(clock.monotonicMs(), 1000);
  made.add("e");
  made.flush();
  made.flush();
  made.add("f");
  await clock.run();
  assert.deepEqual(texts(), ["abc", "d", "e", "f"]);
});

test("Batcher divides a request that would be longer than 3 MiB, down to one item", () => {
  const { made, put, texts } = batcher(8);
  const long = "x".repeat(1_200_000);
  for (let item = 0; item < 7; item++) made.add(`${item}${long}`);
  made.add("y".repeat(4 * 1024 * 1024));
  assert.deepEqual(
    put.map(({ items }) => items),
    [2, 2, 2, 1, 1],
  );
  for (const text of texts().slice(0, 4)) assert.ok(text.length <= 3 * 1024 * 1024);
  assert.equal(texts().join("").replaceAll(/x+|y+/g, ""), "0123456");
});

test("Batcher hands on bytes that hold no other memory", () => {
  const { made, put } = batcher(1);
  made.add("short");
  const [{ gzipped }] = put as [Put];
  assert.equal(gzipped.buffer.byteLength, gzipped.byteLength);
});
