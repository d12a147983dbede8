import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionCache } from "../../src/host/connection-cache.ts";

const PAIR = {
  ipVersion: 4,
  localAddress: "10.0.0.1",
  localPort: 40_000,
  peerAddress: "10.0.0.2",
  peerPort: 80,
} as const;
const nth = (n: number) => ({ ...PAIR, localPort: n });

test("ConnectionCache.get() tells connections apart by each of the four parts", () => {
  const cache = new ConnectionCache<string>({ maxConnections: 100 });
  const others = [
    { ...PAIR, localAddress: "10.0.0.3" },
    { ...PAIR, peerAddress: "10.0.0.3" },
    { ...PAIR, localPort: 80, peerPort: 40_000 },
    { ...PAIR, localPort: 65_535, peerPort: 65_535 },
    { ...PAIR, localPort: 40_001 },
    { ...PAIR, peerPort: 81 },
  ];
  cache.set(PAIR, "this");
  for (const other of others) assert.equal(cache.get(other), undefined);
  for (const [index, other] of others.entries()) cache.set(other, `${index}`);
  assert.deepEqual(
    others.map((other) => cache.get(other)),
    ["0", "1", "2", "3", "4", "5"],
  );
  assert.equal(cache.get({ ...PAIR }), "this");
  assert.equal(cache.size, 7);
});

test("ConnectionCache.set() replaces a value, also one of the older half", () => {
  const cache = new ConnectionCache<number>({ maxConnections: 4 });
  cache.set(PAIR, 1);
  cache.set(nth(1), 1);
  cache.set(PAIR, 2);
  assert.equal(cache.get(PAIR), 2);
  assert.equal(cache.size, 2);
});

test("ConnectionCache never holds more than its bound, and counts what it dropped", () => {
  const cache = new ConnectionCache<number>({ maxConnections: 100 });
  for (let n = 1; n <= 1000; n++) {
    cache.set(nth(n), n);
    assert.ok(cache.size <= 100);
    assert.equal(cache.size + cache.evictions, n);
  }
  assert.equal(cache.get(nth(1000)), 1000);
  assert.equal(cache.get(nth(1)), undefined);
});

test("ConnectionCache keeps what is used while others come", () => {
  const cache = new ConnectionCache<number>({ maxConnections: 100 });
  cache.set(PAIR, -1);
  for (let n = 1; n <= 1000; n++) {
    cache.set(nth(n), n);
    if (n % 20 === 0) assert.equal(cache.get(PAIR), -1);
  }
  for (let n = 1000; n > 955; n--) assert.equal(cache.get(nth(n)), n, "used last");
});
