import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOwnMemory, readOwnMemory } from "../../src/host/own-memory.ts";

const STATUS = `Name:\tnode-MainThread
VmRSS:\t   85272 kB
RssAnon:\t   29904 kB
RssFile:\t   55368 kB
RssShmem:\t       0 kB
`;

test("parseOwnMemory() takes what is no file's", () => {
  assert.equal(parseOwnMemory(STATUS), 29_904 * 1024);
});

test("parseOwnMemory() gives undefined where the kernel does not tell it", () => {
  assert.equal(parseOwnMemory("Name:\tnode\nVmRSS:\t   85272 kB\n"), undefined);
});

test("readOwnMemory() is less than all that is resident", () => {
  const own = readOwnMemory() ?? 0;
  assert.ok(own > 0 && own < process.memoryUsage.rss());
});
