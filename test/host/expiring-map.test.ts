import assert from "node:assert/strict";
import { test } from "node:test";
import { ExpiringMap } from "../../src/host/expiring-map.ts";

test("ExpiringMap.get() gives a value until its time, also before expire() drops it", () => {
  const map = new ExpiringMap<string, number>({ ttlMs: 100, maxSize: 10 });
  map.set("a", 1, 0);
  assert.equal(map.get("a", 99), 1);
  assert.equal(map.get("a", 100), undefined);
  assert.equal(map.size, 1);
  map.expire(99);
  assert.equal(map.size, 1);
  map.expire(100);
  assert.deepEqual([map.size, map.forgotten], [0, 1]);
});

test("ExpiringMap.set() keeps the newest, and a value set again is a new one", () => {
  const map = new ExpiringMap<string, number>({ ttlMs: 100, maxSize: 2 });
  map.set("a", 1, 0);
  map.set("b", 2, 1);
  map.set("a", 3, 2);
  map.set("c", 4, 3);
  assert.deepEqual(
    ["a", "b", "c"].map((key) => map.get(key, 50)),
    [3, undefined, 4],
  );
  assert.equal(map.forgotten, 1);
  map.expire(102);
  assert.deepEqual([map.get("a", 102), map.get("c", 102), map.size], [undefined, 4, 1]);
});

test("ExpiringMap.delete() does not count as forgotten", () => {
  const map = new ExpiringMap<string, number>({ ttlMs: 100, maxSize: 2 });
  map.set("a", 1, 0);
  map.delete("a");
  assert.deepEqual([map.size, map.forgotten], [0, 0]);
});
