import assert from "node:assert/strict";
import { test } from "node:test";
import { LineSplitter } from "../../src/kube/json-lines.ts";
import { recorded } from "./scripted-server.ts";

function split(chunks: readonly Uint8Array[], maxBytes = 1 << 20) {
  const lines: (string | undefined)[] = [];
  const splitter = new LineSplitter({ maxBytes, line: (text) => lines.push(text) > 0 });
  for (const chunk of chunks) splitter.push(chunk);
  return lines;
}

test("LineSplitter gives the same lines wherever a real watch is cut in two", () => {
  const bytes = Buffer.from(recorded("streaming-list.ndjson"));
  const lines = recorded("streaming-list.ndjson").trimEnd().split("\n");
  assert.equal(lines.length, 4);
  for (let at = 0; at <= bytes.length; at++) {
    const got = split([bytes.subarray(0, at), bytes.subarray(at)]);
    if (got.join("\n") !== lines.join("\n")) assert.fail(`cut at ${at}`);
  }
});

test("LineSplitter leaves out empty lines and a last line without its end", () => {
  assert.deepEqual(split([Buffer.from("\n\na\n\nb")]), ["a"]);
});

test("LineSplitter gives undefined for a line above the bound, and goes on", () => {
  assert.deepEqual(split([Buffer.from("xx"), Buffer.from("xxxx\nab\n")], 4), [undefined, "ab"]);
});

test("LineSplitter stops when no more lines are wanted", () => {
  const lines: unknown[] = [];
  const splitter = new LineSplitter({ maxBytes: 9, line: (text) => lines.push(text) < 2 });
  assert.equal(splitter.push(Buffer.from("a\nb\nc\n")), false);
  assert.deepEqual(lines, ["a", "b"]);
});
