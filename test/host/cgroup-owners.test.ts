import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CgroupOwners } from "../../src/host/cgroup-owners.ts";
import { walkCgroups } from "../../src/host/walk-cgroups.ts";

const ID = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";

/** A directory tree in place of a mount, and a clock that stands still. */
function makeTree(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "cgroups-"));
  t.after(() => rmSync(root, { recursive: true }));
  const clock = { ms: 0 };
  const add = (path: string): bigint => {
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, path, "cgroup.procs"), "");
    return statSync(join(root, path), { bigint: true }).ino;
  };
  const remove = (path: string) => {
    rmSync(join(root, path, "cgroup.procs"));
    rmdirSync(join(root, path));
  };
  const owners = new CgroupOwners({ root, handles: undefined, now: () => clock.ms });
  return { root, clock, add, remove, owners };
}

test("walkCgroups() visits every directory once, parents first, and no file", (t) => {
  const { root, add } = makeTree(t);
  const paths = ["/", "/a", "/a/b", "/a/b/c", "/d"];
  const ids = new Map(paths.map((path) => [path, add(path)]));
  const walked = [...walkCgroups(root)];
  assert.deepEqual(walked.map(({ path }) => path).toSorted(), paths);
  for (const { id, path } of walked) assert.equal(id, ids.get(path), path);
  const order = walked.map(({ path }) => path);
  assert.ok(order.indexOf("/a") < order.indexOf("/a/b") && order.indexOf("/a/b") < order.indexOf("/a/b/c"));
});

test("walkCgroups() goes on when a directory vanishes before its turn", (t) => {
  const { root, add, remove } = makeTree(t);
  for (const path of ["/a", "/b", "/b/c"]) add(path);
  const walk = walkCgroups(root);
  assert.equal(walk.next().value?.path, "/");
  remove("/a");
  assert.deepEqual(
    [...walk].map(({ path }) => path),
    ["/b", "/b/c"],
  );
  assert.deepEqual([...walkCgroups(join(root, "nowhere"))], []);
});

test("CgroupOwners.owner() finds by a walk what is new, and remembers what is gone for ten minutes", (t) => {
  const { clock, add, remove, owners } = makeTree(t);
  const path = `/kubepods/burstable/podu1/${ID}`;
  const id = add(path);
  const pod = { kind: "pod", podUid: "u1", containerId: ID };
  assert.deepEqual(owners.owner(id), pod);
  assert.equal(owners.counters().walks, 1);
  clock.ms = 6_000;
  owners.refresh();
  remove(path);
  clock.ms = 12_000;
  owners.refresh();
  assert.equal(owners.counters().remembered, 1);
  clock.ms += 599_999;
  assert.deepEqual(owners.owner(id), pod);
  clock.ms += 1;
  owners.refresh();
  assert.equal(owners.owner(id), undefined);
  assert.deepEqual([owners.counters().remembered, owners.counters().forgotten], [0, 1]);
});

test("CgroupOwners.refresh() meets a cgroup that nobody asked for while it lived", (t) => {
  const { clock, add, remove, owners } = makeTree(t);
  const id = add("/system.slice/short.service");
  owners.refresh();
  remove("/system.slice/short.service");
  clock.ms = 5_000;
  owners.refresh();
  assert.deepEqual(owners.owner(id), { kind: "process", name: "short.service" });
  assert.equal(owners.counters().misses, 0);
});

test("CgroupOwners.refresh() walks every 30 s while no process comes, and every 5 s once one has", (t) => {
  const { clock, owners } = makeTree(t);
  const walksAfter = (ms: number, isCalm: boolean) => {
    clock.ms += ms;
    owners.refresh({ isCalm });
    return owners.counters().walks;
  };
  assert.equal(walksAfter(0, true), 1);
  assert.equal(walksAfter(29_999, true), 1);
  assert.equal(walksAfter(1, true), 2);
  assert.equal(walksAfter(1_000, false), 2);
  assert.equal(walksAfter(3_999, true), 2, "too soon");
  assert.equal(walksAfter(1, true), 3, "one has come since the last walk");
  assert.equal(walksAfter(5_000, true), 3);
  assert.equal(walksAfter(0, false), 4);
  assert.equal(walksAfter(5_000, false), 5);
});

test("CgroupOwners.owner() gives nothing for the root and walks no second time for it", (t) => {
  const { root, owners } = makeTree(t);
  const id = statSync(root, { bigint: true }).ino;
  assert.equal(owners.owner(id), undefined);
  assert.equal(owners.owner(id), undefined);
  assert.deepEqual([owners.counters().walks, owners.counters().notFound], [1, 0]);
});

test("CgroupOwners.owner() walks seldom for ids that are nowhere, and not twice for the same", (t) => {
  const { clock, add, owners } = makeTree(t);
  add("/a");
  for (let i = 0n; i < 100n; i++) assert.equal(owners.owner(1_000_000_000n + i), undefined);
  assert.equal(owners.counters().walks, 1);
  const late = add("/late.slice");
  assert.equal(owners.owner(late), undefined, "not walked for yet, and not taken for absent either");
  clock.ms = 50;
  assert.deepEqual(owners.owner(late), { kind: "process", name: "late.slice" });
  assert.equal(owners.counters().walks, 2);
  clock.ms = 9_999;
  assert.equal(owners.owner(1_000_000_000n), undefined);
  assert.equal(owners.counters().walks, 2, "it is known to be absent");
  clock.ms = 10_000;
  assert.equal(owners.owner(1_000_000_000n), undefined);
  assert.equal(owners.counters().walks, 3);
});
