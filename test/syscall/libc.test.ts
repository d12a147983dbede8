import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openLibc } from "../../src/syscall/libc.ts";
import { errnoName } from "../../src/syscall/system-call-error.ts";
import { makeFifo } from "./make-fifo.ts";

const libc = openLibc();
const hasFfi = process.getBuiltinModule("node:ffi") !== undefined;
const skip = libc === undefined ? "this Node has no node:ffi" : false;

test("openLibc() gives the system calls exactly where Node has node:ffi", () => {
  assert.equal(libc !== undefined, hasFfi);
});

test("openLibc() gives undefined when disabled, as on Node 24", () => {
  assert.equal(openLibc({ disabled: true }), undefined);
});

test("Libc.read() gives bytes, 0 at the end, and minus the errno", { skip }, () => {
  assert.ok(libc);
  const directory = mkdtempSync(join(tmpdir(), "libc-"));
  const fifo = makeFifo(directory);
  try {
    const buffer = new Uint8Array(16);
    assert.equal(libc.read(fifo.reader, buffer), -11, "EAGAIN of an empty pipe");
    writeSync(fifo.writer, "abc");
    assert.equal(libc.read(fifo.reader, buffer.subarray(4)), 3);
    assert.deepEqual(
      [...buffer.subarray(3, 8)],
      [0, 0x61, 0x62, 0x63, 0],
      "a view is written at its own offset",
    );
    assert.equal(libc.read(999_999, buffer), -9, "EBADF");
  } finally {
    fifo.close();
    rmSync(directory, { recursive: true });
  }
});

test("PollSet.ready() tells which descriptors have something and forgets it at the next poll", {
  skip,
}, () => {
  assert.ok(libc);
  const directory = mkdtempSync(join(tmpdir(), "poll-"));
  const fifos = ["a", "b", "c"].map((name) => makeFifo(directory, name));
  try {
    const set = libc.pollSet(fifos.map(({ reader }) => reader));
    const ready = () => [0, 1, 2].map((index) => set.ready(index));
    assert.equal(set.poll(), 0);
    assert.deepEqual(ready(), [false, false, false]);
    writeSync(fifos[1]!.writer, "x");
    assert.equal(set.poll(), 1);
    assert.deepEqual(ready(), [false, true, false]);
    libc.read(fifos[1]!.reader, new Uint8Array(8));
    assert.equal(set.poll(), 0);
    assert.deepEqual(ready(), [false, false, false]);
  } finally {
    for (const fifo of fifos) fifo.close();
    rmSync(directory, { recursive: true });
  }
});

test("PollSet.poll() gives 0 for a set of nothing, and an answer for a closed descriptor", { skip }, () => {
  assert.ok(libc);
  assert.equal(libc.pollSet([]).poll(), 0);
  const set = libc.pollSet([999_999]);
  assert.equal(set.poll(), 1, "POLLNVAL");
  assert.equal(set.ready(0), true);
});

test("Libc.mount() and umount() throw the errno by name", { skip }, () => {
  assert.ok(libc);
  const failure = (call: () => void) => {
    try {
      call();
    } catch (error) {
      return [errnoName(error), (error as Error).message];
    }
    return undefined;
  };
  const root = process.geteuid?.() === 0;
  assert.deepEqual(
    failure(() => libc.mount("none", "/nonexistent", "tracefs")),
    root
      ? ["ENOENT", "ENOENT: no such file or directory, mount"]
      : ["EPERM", "EPERM: operation not permitted, mount"],
  );
  assert.equal(failure(() => libc.umount("/nonexistent"))?.[0], root ? "ENOENT" : "EPERM");
});

test("Libc.netlinkSocket() gives a socket that write() asks and read() never waits for", { skip }, () => {
  assert.ok(libc);
  const fd = libc.netlinkSocket(0); // NETLINK_ROUTE
  try {
    const answer = new Uint8Array(new ArrayBuffer(8192));
    assert.equal(libc.read(fd, answer), -11, "EAGAIN of a socket that was asked nothing");
    // RTM_GETLINK (18) | NLM_F_REQUEST (1), sequence 7, of interface 1: struct nlmsghdr, struct ifinfomsg.
    const asked = new Uint32Array(new ArrayBuffer(32));
    asked.set([32, 18 | (1 << 16), 7, 0, 0, 1, 0, 0]);
    assert.equal(libc.write(fd, new Uint8Array(asked.buffer)), 32);
    const got = libc.read(fd, answer);
    const header = new Uint32Array(answer.buffer, 0, 3);
    assert.deepEqual(
      [header[0], header[1]! & 0xffff, header[2]],
      [got, 16, 7],
      "RTM_NEWLINK with our sequence",
    );
  } finally {
    closeSync(fd);
  }
});

test("Libc.netlinkSocket() and write() say what is wrong", { skip }, () => {
  assert.ok(libc);
  assert.throws(
    () => libc.netlinkSocket(31),
    (error) => errnoName(error) === "EPROTONOSUPPORT",
  );
  assert.equal(libc.write(999_999, new Uint8Array(4)), -9, "EBADF");
});

test("Libc.openByHandle() gives minus the errno for a handle of no file", { skip }, () => {
  assert.ok(libc);
  const fd = openSync("/proc/self", "r");
  try {
    const root = process.geteuid?.() === 0;
    const empty = new Uint8Array(8); // handle_bytes 0
    assert.equal(libc.openByHandle(fd, empty), root ? -22 : -1, "EINVAL, or EPERM without the capability");
  } finally {
    closeSync(fd);
  }
});

test("errnoName() knows the errors of node:fs and no others", () => {
  assert.throws(
    () => readFileSync("/nonexistent"),
    (error) => errnoName(error) === "ENOENT",
  );
  assert.equal(errnoName(new TypeError("a bug")), undefined);
  assert.equal(errnoName("ENOENT"), undefined);
});

test("Libc.trim() hands what malloc has free to the kernel", { skip }, async () => {
  assert.ok(libc);
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  // Each is too small for a mapping of its own, and the last, which stays, keeps the heap from shrinking by itself.
  let held = Array.from({ length: 4000 }, () => Buffer.allocUnsafeSlow(16_000).fill(1));
  const last = held.at(-1);
  const before = anonymousKib();
  held = [];
  for (let tries = 0; tries < 100 && anonymousKib() > before - 32_000; tries++) {
    collect();
    libc.trim();
    await setTimeout(100); // buffers are freed on another thread
  }
  assert.ok(anonymousKib() <= before - 32_000, `${before} KiB were ${anonymousKib()} afterwards`);
  assert.equal(last?.length, 16_000);
});

function anonymousKib(): number {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
}
