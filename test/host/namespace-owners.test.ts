import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { NamespaceOwners } from "../../src/host/namespace-owners.ts";

const ID = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
const HOST = 4026531833;
const [A, B, C] = [4026532200, 4026532300, 4026532400];
const pod = (uid: string) => ({ kind: "pod", podUid: uid }) as const;
const cgroupOf = (uid: string) => `/kubepods/pod${uid}/${ID}`;

const STALE = { kind: "stale" };

/** A directory in place of /proc, with process 1 in the host's namespace, and a clock that stands still. */
function makeProc(t: TestContext) {
  const procRoot = mkdtempSync(join(tmpdir(), "owners-"));
  t.after(() => rmSync(procRoot, { recursive: true }));
  /** `scanMs` is what a scan takes. */
  const clock = { ms: 0, scanMs: 0 };
  const start = (pid: number, inum: number, cgroup: string) => {
    rmSync(join(procRoot, `${pid}`), { recursive: true, force: true });
    mkdirSync(join(procRoot, `${pid}/ns`), { recursive: true });
    symlinkSync(`net:[${inum}]`, join(procRoot, `${pid}/ns/net`));
    writeFileSync(join(procRoot, `${pid}/cgroup`), `0::${cgroup}\n`);
  };
  const end = (pid: number) => rmSync(join(procRoot, `${pid}`), { recursive: true });
  /** The mounts that process 1 has. */
  const mount = (...mounts: (readonly [inum: number, path: string])[]) => {
    const lines = mounts.map(
      ([inum, path]) => `45 43 0:4 net:[${inum}] ${path} rw shared:6 - nsfs nsfs rw\n`,
    );
    mkdirSync(join(procRoot, "1"), { recursive: true });
    writeFileSync(join(procRoot, "1/mountinfo"), lines.join(""));
  };
  start(1, HOST, "/init.scope");
  const owners = new NamespaceOwners({
    procRoot,
    netnsPath: join(procRoot, "netns"),
    cgroupBase: "/",
    libc: undefined,
    now: () => {
      clock.ms += clock.scanMs;
      return clock.ms;
    },
  });
  const pass = (ms: number) => {
    clock.ms += ms;
    owners.refresh();
  };
  return { procRoot, clock, start, end, mount, owners, pass };
}

test("NamespaceOwners.owner() gives a pod by its process, and the host's own to nobody else", (t) => {
  const { start, owners } = makeProc(t);
  start(50, HOST, cgroupOf("on-host-network"));
  start(60, A, cgroupOf("a"));
  start(61, A, cgroupOf("a"));
  start(70, B, "/system.slice/private.service");
  start(80, C, "/");
  assert.deepEqual(owners.owner(A), pod("a"), "found by a miss");
  assert.deepEqual(owners.owner(HOST), { kind: "host" });
  assert.deepEqual(owners.owner(B), { kind: "process", name: "private.service" });
  assert.deepEqual(owners.owner(C), { kind: "process", name: undefined });
  assert.equal(owners.owner(4026539999), undefined);
  assert.equal(owners.host, HOST);
});

test("NamespaceOwners.owner() looks for a number that is nowhere once in a second", (t) => {
  const { clock, start, owners } = makeProc(t);
  for (let i = 0; i < 100; i++) assert.equal(owners.owner(A), undefined);
  assert.deepEqual(
    [owners.counters().misses, owners.counters().notFound, owners.counters().scans],
    [1, 1, 1],
  );
  start(60, A, cgroupOf("a"));
  assert.equal(owners.owner(A), undefined);
  start(61, B, cgroupOf("b"));
  assert.equal(owners.owner(B), undefined, "the last look counts for every number");
  clock.ms = 20;
  assert.deepEqual(owners.owner(B), pod("b"), "but it does not count as absent");
  assert.deepEqual(owners.owner(A), pod("a"));
  assert.equal(owners.counters().scans, 2);
});

test("NamespaceOwners.owner() takes the next refresh's word where scans are too dear for one of its own", (t) => {
  const { clock, start, owners, pass } = makeProc(t);
  clock.scanMs = 200;
  assert.equal(owners.owner(A), undefined);
  clock.scanMs = 0;
  clock.ms += 100;
  assert.deepEqual(
    [owners.owner(B), owners.owner(C)],
    [STALE, STALE],
    "a scan would take too much of the time",
  );
  start(60, C, cgroupOf("c"));
  pass(1_000);
  clock.ms += 100;
  assert.deepEqual([owners.owner(B), owners.owner(C)], [undefined, pod("c")]);
  assert.equal(owners.counters().misses, 1);
});

test("NamespaceOwners.owner() takes the word of a scan once: what holds the number may have changed since", (t) => {
  const { clock, start, end, owners, pass } = makeProc(t);
  start(60, A, cgroupOf("old"));
  owners.refresh();
  end(60);
  pass(1_000);
  clock.ms += 100;
  clock.scanMs = 200;
  owners.owner(B); // now another look would come too soon
  clock.scanMs = 0;
  clock.ms += 100;
  assert.deepEqual(owners.owner(A), STALE);
  pass(100);
  clock.ms += 100;
  assert.deepEqual(owners.owner(A), pod("old"), "a scan has found nobody since");
  start(61, A, cgroupOf("new"));
  assert.deepEqual(owners.owner(A), STALE, "but not since that");
  pass(100);
  assert.deepEqual(owners.owner(A), pod("new"));
});

test("NamespaceOwners.owner() never leaves an absent number untold: it looks where a refresh is overdue", (t) => {
  const { clock, owners, pass } = makeProc(t);
  clock.scanMs = 500;
  assert.equal(owners.owner(A), undefined);
  clock.scanMs = 0;
  for (let i = 0; i < 150; i++) {
    clock.ms += 997; // more than a minute, after which it is absent no longer
    if (i % 10 === 0) pass(1);
    assert.equal(owners.owner(A), undefined);
  }
});

test("NamespaceOwners.refresh() looks for absent numbers too, so that they ask for no scans", (t) => {
  const { clock, start, owners, pass } = makeProc(t);
  for (let second = 0; second < 30; second++) {
    clock.ms += 500;
    for (const inum of [A, B, C]) assert.equal(owners.owner(inum), undefined);
    pass(500);
  }
  assert.equal(owners.counters().misses, 3);
  start(60, B, cgroupOf("b"));
  pass(1_000);
  assert.deepEqual(owners.owner(B), pod("b"));
});

test("NamespaceOwners.owner() remembers a pod for two minutes after its last process", (t) => {
  const { clock, start, end, owners, pass } = makeProc(t);
  start(60, A, cgroupOf("a"));
  owners.refresh();
  end(60);
  pass(1_000);
  assert.deepEqual(owners.owner(A), pod("a"));
  assert.deepEqual([owners.counters().held, owners.counters().remembered], [0, 1]);
  clock.ms += 119_999;
  assert.deepEqual(owners.owner(A), pod("a"));
  pass(1);
  assert.equal(owners.owner(A), undefined);
  assert.equal(owners.counters().forgotten, 1);
});

test("NamespaceOwners.owner() gives a recycled number to its new holder, also between two refreshes", (t) => {
  const { clock, start, end, owners, pass } = makeProc(t);
  start(60, A, cgroupOf("old"));
  owners.refresh();
  end(60);
  start(61, A, cgroupOf("new"));
  pass(1_000);
  assert.deepEqual(owners.owner(A), pod("new"), "seen by one scan");
  end(61);
  pass(1_000);
  assert.deepEqual(owners.owner(A), pod("new"), "remembered");
  start(62, A, cgroupOf("third"));
  clock.ms += 1_000;
  assert.deepEqual(owners.owner(A), pod("third"), "looked for before the remembered one is given");
  end(62);
  start(63, A, cgroupOf("fourth"));
  clock.ms += 99;
  assert.deepEqual(owners.owner(A), pod("third"), "what was verified is not verified at once again");
  clock.ms += 1;
  assert.deepEqual(owners.owner(A), pod("fourth"), "nobody has refreshed meanwhile");
  end(63);
  clock.ms += 100;
  owners.owner(B); // now another look would come too soon
  start(64, A, cgroupOf("fifth"));
  assert.deepEqual(owners.owner(A), pod("fourth"), "a look has just found nobody");
  clock.ms += 19;
  assert.deepEqual(owners.owner(A), pod("fourth"));
  clock.ms += 81;
  assert.deepEqual(owners.owner(A), pod("fifth"));
  clock.ms += 100;
  owners.owner(C);
  end(64);
  start(65, A, cgroupOf("sixth"));
  assert.deepEqual(owners.owner(A), STALE, "rather no name than the old one");
});

test("NamespaceOwners.owner() keeps the pod while a mount keeps the namespace", (t) => {
  const { start, end, mount, owners, pass } = makeProc(t);
  mount([A, "/run/netns/cni-0c0ffee0-1111-2222-3333-444455556666"]);
  owners.refresh();
  assert.deepEqual(owners.owner(A), { kind: "process", name: undefined }, "a made-up name tells nothing");
  start(60, A, cgroupOf("a"));
  pass(1_000);
  assert.deepEqual(owners.owner(A), pod("a"));
  end(60);
  pass(600_000);
  assert.deepEqual(owners.owner(A), pod("a"));
  start(61, A, "/user.slice/user-0.slice/session-1.scope");
  pass(1_000);
  assert.deepEqual(owners.owner(A), pod("a"), "an administrator who looks into it does not own it");
  end(61);
  mount();
  pass(6_000);
  assert.deepEqual([owners.counters().held, owners.counters().remembered], [0, 1]);
});

test("NamespaceOwners.owner() names a namespace outside Kubernetes by its mount first", (t) => {
  const { start, mount, owners } = makeProc(t);
  mount([A, "/run/netns/blue"], [B, "/run/docker/netns/0123456789ab"]);
  start(60, A, "/system.slice/vpn.service");
  start(61, B, `/docker/${ID}`);
  owners.refresh();
  assert.deepEqual(owners.owner(A), { kind: "process", name: "blue" });
  assert.deepEqual(owners.owner(B), { kind: "process", name: "docker-3f2a9c1b7d4e" });
});

test("NamespaceOwners.refresh() passes over what is no mount in the directory of mounts", (t) => {
  const { procRoot, start, owners, pass } = makeProc(t);
  mkdirSync(join(procRoot, "netns"));
  symlinkSync("loop", join(procRoot, "netns/loop"));
  symlinkSync("none", join(procRoot, "netns/dangling"));
  start(60, A, cgroupOf("a"));
  pass(1000);
  assert.deepEqual(owners.owner(A), pod("a"));
});

test("NamespaceOwners.owner() does not give a nested node's namespace to its hostNetwork pods", (t) => {
  const { start, owners, pass } = makeProc(t);
  start(60, A, `/docker/${ID}/init.scope`);
  start(61, A, `/docker/${ID}/kubelet${cgroupOf("nested")}`);
  start(62, B, `/docker/${ID}/kubelet${cgroupOf("nested-2")}`);
  pass(1_000);
  assert.deepEqual(owners.owner(A), { kind: "process", name: "docker-3f2a9c1b7d4e" });
  assert.deepEqual(owners.owner(B), pod("nested-2"), "whose node it is on is for others to tell");
});

test("NamespaceOwners.owner() follows a young process to another namespace and another cgroup", (t) => {
  const { start, owners, pass } = makeProc(t);
  start(60, HOST, "/system.slice/containerd.service");
  pass(1_000);
  start(60, A, "/system.slice/containerd.service");
  pass(1_000);
  assert.deepEqual(owners.owner(A), { kind: "process", name: "containerd.service" });
  start(60, A, cgroupOf("a"));
  pass(1_000);
  assert.deepEqual(owners.owner(A), pod("a"));
});

test("NamespaceOwners.isCalm while nobody comes, goes or moves, and nobody is young", (t) => {
  const { start, end, owners, pass } = makeProc(t);
  const calmAfter = (ms: number) => {
    pass(ms);
    return owners.isCalm;
  };
  start(60, A, cgroupOf("a"));
  assert.equal(calmAfter(0), false, "all have come");
  assert.equal(calmAfter(9_999), false, "they are young");
  assert.equal(calmAfter(1), true);
  start(61, A, cgroupOf("a"));
  assert.equal(calmAfter(1_000), false);
  assert.equal(calmAfter(10_000), true);
  end(61);
  assert.equal(calmAfter(1_000), false);
  assert.equal(calmAfter(1_000), true);
  start(60, B, cgroupOf("a"));
  const moved = Array.from({ length: 32 }, () => calmAfter(1_000));
  assert.equal(moved.filter((isCalm) => !isCalm).length, 1, "when it was its turn");
});

test("NamespaceOwners.owner() notices within 32 scans that an old process has moved", (t) => {
  const { start, owners, pass } = makeProc(t);
  start(60, A, cgroupOf("a"));
  owners.refresh();
  pass(10_000);
  start(60, B, cgroupOf("a"));
  for (let i = 0; i < 32; i++) pass(1_000);
  assert.equal(owners.counters().held, 1);
  assert.deepEqual(owners.owner(B), pod("a"));
});

test("NamespaceOwners.owner() calls nothing another node's while there are namespaces that it may not see", (t) => {
  const { procRoot, start, end, owners, pass } = makeProc(t);
  for (const pid of [1, 60]) {
    if (pid === 60) start(pid, A, cgroupOf("a"));
    mkdirSync(join(procRoot, `${pid}/net`), { recursive: true });
    writeFileSync(join(procRoot, `${pid}/net/dev`), "");
  }
  rmSync(join(procRoot, "60/ns/net"));
  pass(1_000);
  assert.deepEqual(owners.owner(A), { kind: "process", name: undefined });
  assert.equal(owners.counters().hidden, 1);
  end(60);
  pass(1_000);
  assert.equal(owners.owner(A), undefined);
  assert.equal(owners.counters().hidden, 0);
});

test("NamespaceOwners.owner() finds the host's by another process where that of process 1 cannot be read", (t) => {
  const { procRoot, start, end, owners, pass } = makeProc(t);
  end(1);
  pass(0);
  start(60, A, cgroupOf("a"));
  pass(1_000);
  assert.deepEqual(owners.owner(A), { kind: "process", name: undefined }, "nothing is given to a pod yet");
  mkdirSync(join(procRoot, "1/net"), { recursive: true });
  writeFileSync(join(procRoot, "1/net/dev"), "");
  start(70, HOST, cgroupOf("on-host-network"));
  symlinkSync(join(procRoot, "1/net"), join(procRoot, "70/net"));
  pass(1_000);
  assert.deepEqual(owners.owner(HOST), { kind: "host" });
  assert.deepEqual(owners.owner(A), pod("a"));
});
