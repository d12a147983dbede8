import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openLibc } from "../../src/syscall/libc.ts";
import { openCpuPipe } from "../../src/tracefs/cpu-pipe.ts";
import { makeFifo } from "../syscall/make-fifo.ts";

const withFfi = openLibc();
const MEANS = [
  { name: "with node:ffi", libc: withFfi, skip: withFfi === undefined ? "this Node has no node:ffi" : false },
  { name: "without node:ffi", libc: undefined, skip: false },
];
for (const { name, libc, skip } of MEANS) {
  test(`CpuPipe.read() ${name} gives bytes, and 0 for nothing now`, { skip }, () => {
    const directory = mkdtempSync(join(tmpdir(), "pipe-"));
    const fifo = makeFifo(directory);
    const limit = Error.stackTraceLimit;
    const pipe = openCpuPipe(join(directory, "fifo"), { cpu: 3, libc });
    try {
      const buffer = new Uint8Array(16);
      assert.equal(pipe.cpu, 3);
      assert.equal(pipe.read(buffer), 0);
      assert.equal(Error.stackTraceLimit, limit, "the limit is back");
      writeSync(fifo.writer, "abc");
      assert.equal(pipe.read(buffer), 3);
      assert.equal(buffer[0], 0x61);
    } finally {
      pipe.close();
      pipe.close(); // once closed, the number may be another file's
      fifo.close();
      rmSync(directory, { recursive: true });
    }
  });
}
