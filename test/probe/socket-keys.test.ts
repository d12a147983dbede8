import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketKeys } from "../../src/probe/socket-keys.ts";

/** The 53 bits of 0xffff888000000000 that a number holds, where the kernel's sockets are on x86-64. */
const BASE = 0x1f_8880_0000_0000;
const SIZE = 2432;

function addresses(count: number, from = 0): readonly number[] {
  return Array.from({ length: count }, (_, i) => BASE + SIZE * (from + i));
}

test("SocketKeys gives each socket a small number of its own, the same each time", () => {
  const keys = new SocketKeys();
  const sockets = addresses(20_000); // more than it has slots
  const first = sockets.map(keys.of);
  assert.equal(new Set(first).size, sockets.length);
  assert.ok(first.every((key) => Number.isInteger(key) && key >= 1 && key <= sockets.length));
  assert.deepEqual(sockets.map(keys.of), first);
  assert.deepEqual(sockets.toReversed().map(keys.of), first.toReversed());
});

test("SocketKeys keeps a socket that is in use, however many others come and go", () => {
  const keys = new SocketKeys({ max: 8 });
  const key = keys.of(BASE);
  for (const other of addresses(50_000, 1)) {
    keys.of(other);
    assert.equal(keys.of(BASE), key);
  }
});

test("SocketKeys never gives the number of a socket that it has forgotten to another", () => {
  const keys = new SocketKeys({ max: 8 });
  const seen = new Set(addresses(50_000).map(keys.of));
  assert.equal(seen.size, 50_000);
  assert.ok(!seen.has(keys.of(BASE + SIZE * 50_000)));
  assert.ok(!seen.has(keys.of(BASE)), "the first is forgotten by now");
});

test("SocketKeys gives a record without a socket's address one number too", () => {
  const keys = new SocketKeys();
  const none = keys.of(0);
  assert.notEqual(keys.of(BASE), none);
  assert.equal(keys.of(0), none);
});
