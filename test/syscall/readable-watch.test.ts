import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openLibc } from "../../src/syscall/libc.ts";
import { makeFifo } from "./make-fifo.ts";

const libc = openLibc();
const skip = libc === undefined ? "this Node has no node:ffi" : false;

function makeFifos(t: TestContext, count: number) {
  const directory = mkdtempSync(join(tmpdir(), "watch-"));
  const fifos = Array.from({ length: count }, (_, i) => makeFifo(directory, `${i}`));
  t.after(() => {
    for (const fifo of fifos) fifo.close();
    rmSync(directory, { recursive: true });
  });
  return fifos;
}

/** Lets timers and descriptors have their turn a few times. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await sleep(1);
}

test("ReadableWatch calls once for what comes into any descriptor, and again only when armed again", {
  skip,
}, async (t) => {
  const [first, second] = makeFifos(t, 2);
  using watch = libc!.watchReadable([first!.reader, second!.reader]);
  let calls = 0;
  const next = () => new Promise<void>((resolve) => watch!.arm(() => resolve(void calls++)));
  const called = next();
  await turns();
  assert.equal(calls, 0, "nothing is there yet");
  writeSync(second!.writer, "x");
  await called;
  await turns();
  assert.equal(calls, 1, "it is not read yet, and nobody has asked again");
  await next();
  assert.equal(calls, 2, "there is something already");
  libc!.read(second!.reader, new Uint8Array(8));
  const later = next();
  await turns();
  assert.equal(calls, 2, "it has been read");
  writeSync(first!.writer, "y");
  await later;
  assert.equal(calls, 3);
});

test("ReadableWatch calls nobody after its end, and leaves no descriptor open", { skip }, async (t) => {
  const [fifo] = makeFifos(t, 1);
  const openFiles = () => readdirSync("/proc/self/fd").length;
  const before = openFiles();
  let calls = 0;
  for (let i = 0; i < 10; i++) {
    using watch = libc!.watchReadable([fifo!.reader]);
    watch!.arm(() => calls++);
  }
  writeSync(fifo!.writer, "x");
  await turns();
  assert.equal(calls, 0);
  assert.equal(openFiles(), before);
});

test("Libc.watchReadable() gives undefined for a file that cannot be waited for, and for none that is open", {
  skip,
}, (t) => {
  const file = openSync("/proc/self/comm", "r");
  t.after(() => closeSync(file));
  assert.equal(libc!.watchReadable([file]), undefined);
  assert.equal(libc!.watchReadable([999_999]), undefined);
});
