import assert from "node:assert/strict";
import { test } from "node:test";
import { ItemScanner } from "../../src/kube/json-items.ts";
import { recorded } from "./scripted-server.ts";

const PAGE = recorded("page-1.json");
const NAMES = JSON.parse(PAGE).items.map(({ metadata }: { metadata: { name: string } }) => metadata.name);

function scan(chunks: readonly (string | Uint8Array)[], maxBytes = 1 << 20) {
  const items: (string | undefined)[] = [];
  const scanner = new ItemScanner({ maxBytes, item: (text) => items.push(text) });
  for (const chunk of chunks) scanner.push(Buffer.from(chunk));
  return { items, ...scanner.end() };
}

test("ItemScanner finds every item of a real list, whatever is in its strings", () => {
  const { items, complete, members } = scan([PAGE]);
  assert.equal(complete, true);
  assert.deepEqual(
    items.map((text) => JSON.parse(text ?? "")),
    JSON.parse(PAGE).items,
  );
  assert.deepEqual(JSON.parse(members.get("metadata") ?? ""), JSON.parse(PAGE).metadata);
  assert.deepEqual([...members.keys()], ["kind", "metadata"]);
});

test("ItemScanner finds the same items wherever the bytes are cut in two", () => {
  const bytes = Buffer.from(PAGE);
  for (let at = 0; at <= bytes.length; at++) {
    const { items, complete } = scan([bytes.subarray(0, at), bytes.subarray(at)]);
    const names = items.map((text) => JSON.parse(text ?? "").metadata.name);
    if (!complete || names.join() !== NAMES.join()) assert.fail(`cut at ${at}: ${names}`);
  }
});

const CASES = [
  { name: "no items", text: '{"kind":"PodList","items":[]}', items: [], complete: true },
  { name: "null for no items", text: '{"items":null,"kind":"PodList"}', items: [], complete: true },
  {
    name: "items that are no objects",
    text: '{"items":[1, true ,"a,]}" ,[2,[3]],{"items":[4]}]}',
    items: ["1", "true", '"a,]}"', "[2,[3]]", '{"items":[4]}'],
    complete: true,
  },
  {
    name: "white space everywhere",
    text: ' {\n "items" : [ { } ,\t{ } ] , "kind" : 1 } \n',
    items: ["{ }", "{ }"],
    complete: true,
  },
  { name: "items deeper down only", text: '{"metadata":{"items":[1]}}', items: [], complete: false },
  { name: "a list that breaks off", text: '{"items":[{"a":1},{"b"', items: ['{"a":1}'], complete: false },
  { name: "items that are no array", text: '{"items":{"a":1}}', items: [], complete: false },
  { name: "an array", text: '[{"items":[1]}]', items: [], complete: false },
  { name: "text", text: "404 page not found", items: [], complete: false },
  { name: "nothing", text: "", items: [], complete: false },
] as const;

for (const { name, text, items, complete } of CASES) {
  test(`ItemScanner takes ${name}`, () => {
    const whole = scan([text]);
    assert.deepEqual(whole.items, items);
    assert.equal(whole.complete, complete);
    assert.deepEqual(scan([...text]), whole);
  });
}

test("ItemScanner gives undefined for an item above the bound, and keeps none of it", () => {
  const { items, complete } = scan(['{"items":["', "x".repeat(100), '",{"a":1}]}'], 50);
  assert.deepEqual(items, [undefined, '{"a":1}']);
  assert.equal(complete, true);
});
