import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { startDemo } from "../../src/cli/demo.ts";

/** Runs a demonstration until its standard input is closed. */
const { signal } = new AbortController();
const main = join(import.meta.dirname, "../../src/main.ts");
await using demo = await startDemo({ node: process.execPath, main, signal });
assert.ok(demo);
console.log(JSON.stringify({ namespaces: demo.namespaces, words: demo.describe() }));
process.stdin.resume();
await once(process.stdin, "end");
