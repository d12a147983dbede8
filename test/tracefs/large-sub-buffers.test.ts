import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeLargeSubBuffers } from "../../src/tracefs/large-sub-buffers.ts";

const root = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
after(() => rmSync(root, { recursive: true }));

/** A directory with such files, which take what is written one behind the other. */
function directory(name: string, files: readonly string[]): string {
  const path = join(root, name);
  mkdirSync(path);
  for (const file of files) writeFileSync(join(path, file), "");
  return path;
}
const text = (path: string, file: string) => readFileSync(join(path, file), "utf8");

test("makeLargeSubBuffers() sets the sub-buffers before the size", () => {
  const path = directory("new", ["buffer_subbuf_size_kb", "buffer_size_kb"]);
  assert.equal(makeLargeSubBuffers(path, 4096), true);
  assert.deepEqual([text(path, "buffer_subbuf_size_kb"), text(path, "buffer_size_kb")], ["32", "4096"]);
});

test("makeLargeSubBuffers() leaves a small buffer and a kernel before 6.8 alone", () => {
  const small = directory("small", ["buffer_subbuf_size_kb", "buffer_size_kb"]);
  assert.equal(makeLargeSubBuffers(small, 1023), false);
  const old = directory("old", ["buffer_size_kb"]);
  assert.equal(makeLargeSubBuffers(old, 4096), false);
  assert.deepEqual([text(small, "buffer_subbuf_size_kb"), text(old, "buffer_size_kb")], ["", ""]);
});

test("makeLargeSubBuffers() goes back to pages where the kernel refuses the size", () => {
  const path = directory("refused", ["buffer_subbuf_size_kb"]); // no such file stands in for ENOMEM
  assert.equal(makeLargeSubBuffers(path, 4096), false);
  assert.equal(text(path, "buffer_subbuf_size_kb"), "321");
});
