import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Holding } from "../../src/host/namespace-holders.ts";
import { type Told, tellNamespace } from "../../src/host/tell-namespace.ts";

const ID = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
const cgroupOf = (uid: string) => `/kubepods/pod${uid}/${ID}`;

/** A directory in place of /proc with the cgroups of processes, and what is told by them. */
function makeProc(t: TestContext) {
  const procRoot = mkdtempSync(join(tmpdir(), "telling-"));
  t.after(() => rmSync(procRoot, { recursive: true }));
  const move = (pid: number, cgroup: string) => {
    mkdirSync(join(procRoot, `${pid}`), { recursive: true });
    writeFileSync(join(procRoot, `${pid}/cgroup`), `0::${cgroup}\n`);
  };
  const tell = (
    holding: Holding,
    nowMs: number,
    { before, base = "/" }: { before?: Told; base?: string } = {},
  ) => tellNamespace(holding, nowMs, { before, procRoot, cgroupBase: base });
  return { move, tell };
}

function holdingOf(pids: readonly number[], { mountName, revision = 1 }: Partial<Holding> = {}): Holding {
  return { inum: 4026532200, pids: new Set(pids), mountName, revision };
}

test("tellNamespace() asks the oldest process whose cgroup tells something", (t) => {
  const { move, tell } = makeProc(t);
  move(50, "/");
  move(60, cgroupOf("a"));
  move(70, "/user.slice/user-0.slice/session-1.scope");
  const told = tell(holdingOf([40, 50, 60, 70]), 5);
  assert.deepEqual(
    [told.owner, told.pid],
    [{ kind: "pod", podUid: "a" }, 60],
    "40 has ended, 50 is in the root",
  );
  assert.deepEqual([told.sinceMs, told.verifiedMs, told.revision], [5, 5, 1]);
});

test("tellNamespace() takes cgroups from the root of its own cgroup namespace", (t) => {
  const { move, tell } = makeProc(t);
  move(60, `/../podb/${ID}`);
  assert.deepEqual(tell(holdingOf([60]), 0, { base: "/kubepods/poda" }).owner, { kind: "pod", podUid: "b" });
});

const MOUNTS = [
  { name: "the mount's name before the unit's", mountName: "blue", expected: "blue" },
  {
    name: "the unit where CNI made the mount's name up",
    mountName: "cni-0c0ffee0-1111",
    expected: "vpn.service",
  },
  { name: "the unit where the mount's name is digits", mountName: "0123456789ab", expected: "vpn.service" },
  { name: "the unit where nothing is mounted", mountName: undefined, expected: "vpn.service" },
];
for (const { name, mountName, expected } of MOUNTS) {
  test(`tellNamespace() gives ${name}`, (t) => {
    const { move, tell } = makeProc(t);
    move(60, "/system.slice/vpn.service");
    assert.deepEqual(tell(holdingOf([60], { mountName }), 0).owner, { kind: "process", name: expected });
  });
}

test("tellNamespace() gives the mount alone where no process tells anything", (t) => {
  const { tell } = makeProc(t);
  const told = tell(holdingOf([], { mountName: "blue" }), 0);
  assert.deepEqual([told.owner, told.pid], [{ kind: "process", name: "blue" }, undefined]);
});

test("tellNamespace() reads the cgroups of sixteen processes and no more", (t) => {
  const { move, tell } = makeProc(t);
  for (const pid of [116, 117]) move(pid, cgroupOf("a"));
  const pids = (count: number) => Array.from({ length: count }, (_, index) => 117 - index).reverse();
  assert.equal(tell(holdingOf(pids(16)), 0).owner.kind, "pod");
  assert.equal(tell(holdingOf(pids(18)), 0).owner.kind, "process");
});

test("tellNamespace() asks anew for ten seconds, and then for a pod's or a settled process's never", (t) => {
  const { move, tell } = makeProc(t);
  move(60, "/system.slice/containerd.service");
  const holding = holdingOf([60]);
  const young = tell(holding, 0);
  move(60, cgroupOf("a"));
  assert.equal(tell(holding, 10_000, { before: young }), young, "it was a process for too long");
  const pod = tell(holding, 9_999, { before: young });
  assert.deepEqual([pod.owner, pod.sinceMs], [{ kind: "pod", podUid: "a" }, 0]);
  move(60, cgroupOf("b"));
  assert.equal(tell(holding, 10_000, { before: pod }), pod);
});

test("tellNamespace() keeps a pod while its process stays, and after it until another pod comes", (t) => {
  const { move, tell } = makeProc(t);
  move(60, cgroupOf("a"));
  move(70, "/user.slice/user-0.slice/session-1.scope");
  move(80, cgroupOf("b"));
  const pod = tell(holdingOf([60]), 0);
  const joined = tell(holdingOf([80, 60], { revision: 2 }), 1_000, { before: pod });
  assert.deepEqual([joined.owner, joined.pid, joined.revision, joined.verifiedMs], [pod.owner, 60, 2, 1_000]);
  const left = tell(holdingOf([70], { revision: 3 }), 2_000, { before: joined });
  assert.deepEqual([left.owner, left.pid, left.sinceMs], [pod.owner, undefined, 0], "70 is no pod's");
  const next = tell(holdingOf([70, 80], { revision: 4 }), 3_000, { before: left });
  assert.deepEqual([next.owner, next.pid], [{ kind: "pod", podUid: "b" }, 80]);
});
