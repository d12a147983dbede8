import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CgroupHandles } from "../../src/host/cgroup-handles.ts";
import { findCgroupMount } from "../../src/host/cgroup-mount.ts";
import { HostOwners } from "../../src/host/host-owners.ts";
import { readNamespaceInum } from "../../src/host/network-namespaces.ts";
import { openLibc } from "../../src/syscall/libc.ts";

const procRoot = "/proc";
const netnsPath = "/var/run/netns";
const libc = openLibc();
const mount = findCgroupMount({ procRoot });
const skip = mount === undefined ? "there is no cgroup v2 tree" : false;

const ways = [
  { method: "walk", libc: undefined },
  ...(libc === undefined ? [] : [{ method: "handle", libc }]),
] as const;

interface Pod {
  readonly uid: string;
  readonly containerId: string;
  /** The container's cgroup. */
  readonly directory: string;
  readonly id: bigint;
  remove(): void;
}

/** Makes the cgroups of a pod as kubelet's cgroupfs driver does, below a directory of its own. */
function makePod(t: TestContext, name: string): Pod {
  const uid = randomUUID();
  const containerId = randomBytes(32).toString("hex");
  const top = join(mount!.path, `tcprx-${process.pid}-${name}`);
  const directory = join(top, "kubepods/burstable", `pod${uid}`, containerId);
  mkdirSync(directory, { recursive: true });
  let there = true;
  const remove = () => {
    if (!there) return;
    there = false;
    for (let path = directory; path !== dirname(top); path = dirname(path)) rmdirSync(path);
  };
  t.after(async () => {
    for (; there && listProcesses(directory).length > 0; await sleep(5)) {
      for (const pid of listProcesses(directory)) process.kill(Number(pid), "SIGKILL");
    }
    remove();
  });
  return { uid, containerId, directory, id: statSync(directory, { bigint: true }).ino, remove };
}

function listProcesses(directory: string): readonly string[] {
  return readFileSync(join(directory, "cgroup.procs"), "utf8").split("\n").slice(0, -1);
}

interface Running {
  readonly pid: number;
  readonly inum: number;
  stop(): Promise<void>;
}

/** Starts a process in a network namespace of its own that nothing else holds, and in a pod's cgroup. */
async function startIn(t: TestContext, pod: Pod): Promise<Running> {
  const child = spawn("unshare", ["-n", "sleep", "1000"], { stdio: "ignore" });
  const stop = () => endOf(child);
  t.after(stop);
  writeFileSync(join(pod.directory, "cgroup.procs"), `${child.pid}`);
  const own = readNamespaceInum(process.pid, { procRoot });
  for (;;) {
    const inum = readNamespaceInum(child.pid!, { procRoot });
    if (inum !== undefined && inum !== own) return { pid: child.pid!, inum, stop };
    await sleep(5);
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

for (const { method, libc } of ways) {
  test(`HostOwners finds a pod by its cgroup and its namespace, and remembers both, by ${method}`, {
    skip,
  }, async (t) => {
    let ahead = 0;
    const now = () => performance.now() + ahead;
    using owners = new HostOwners({ procRoot, netnsPath, libc, now, unixMs: Date.now });
    assert.equal(owners.cgroupMethod, method);
    const pod = makePod(t, method);
    const running = await startIn(t, pod);
    const byCgroup = { kind: "pod", podUid: pod.uid, containerId: pod.containerId };
    ahead += 1_000; // a scan of this moment would count for the namespace, which may be younger
    assert.deepEqual(owners.cgroup(pod.id), byCgroup);
    assert.deepEqual(owners.namespace(running.inum), { kind: "pod", podUid: pod.uid });
    await running.stop();
    pod.remove();
    const walks = () => owners.counters().cgroup?.walks ?? 0;
    for (const enough = walks() + 3; walks() < enough; ahead += 1_000) owners.refresh();
    assert.equal((owners.counters().cgroup?.remembered ?? 0) >= 1, true);
    assert.equal(owners.counters().namespace.remembered >= 1, true);
    assert.deepEqual(owners.cgroup(pod.id), byCgroup);
    assert.deepEqual(owners.namespace(running.inum), { kind: "pod", podUid: pod.uid });
    const late = makePod(t, `${method}-late`);
    late.remove();
    ahead += 1_000;
    assert.equal(owners.cgroup(late.id), undefined, "gone before anyone looked");
  });
}

test("HostOwners gives a number that the kernel gave twice to its new holder", { skip }, async (t) => {
  let ahead = 0;
  using owners = new HostOwners({
    procRoot,
    netnsPath,
    libc,
    now: () => performance.now() + ahead,
    unixMs: Date.now,
  });
  const seen = new Set<number>();
  for (let attempt = 0; attempt < 30; attempt++) {
    const pod = makePod(t, `again${attempt}`);
    const running = await startIn(t, pod);
    const look = () => {
      ahead += 100;
      return owners.namespace(running.inum);
    };
    let owner = look();
    // On a slow machine the next scan is not due yet: then no name is given, but not the old one either.
    for (let i = 0; i < 50 && owner?.kind === "process"; i++) owner = look();
    assert.deepEqual(owner, { kind: "pod", podUid: pod.uid });
    if (seen.has(running.inum)) return;
    seen.add(running.inum);
    await running.stop();
    await sleep(50); // the kernel frees namespaces in a work queue of its own
  }
  assert.fail("no number was given twice");
});

test("HostOwners knows which pod has an address, at once, and its successor after it", {
  skip,
}, async (t) => {
  using owners = new HostOwners({
    procRoot,
    netnsPath,
    libc,
    now: () => performance.now(),
    unixMs: Date.now,
  });
  const addresses = ["10.66.99.5", "fd00:66:99::5"];
  const atOnce = async (address: string) => {
    for (const nowMs = Date.now(); ; await sleep(5)) {
      const sight = owners.podsWithAddress(address, nowMs, nowMs);
      if (sight?.kind !== "stale") return sight;
    }
  };
  for (const name of ["first", "second"]) {
    const pod = makePod(t, `address-${name}`);
    const running = await startIn(t, pod);
    const inside = (...args: string[]) =>
      execFileSync("nsenter", ["-t", `${running.pid}`, "-n", "ip", ...args]);
    inside("link", "set", "lo", "up");
    for (const address of addresses) inside("addr", "add", address, "dev", "lo");
    for (const address of addresses) {
      assert.deepEqual(await atOnce(address), { kind: "one", podUid: pod.uid }, name);
    }
    assert.equal(await atOnce("10.66.99.6"), undefined);
    await running.stop();
    owners.refresh();
    for (const address of addresses) assert.equal(await atOnce(address), undefined, "nobody has it now");
  }
});

test("HostOwners knows the host's own namespace and addresses", () => {
  using owners = new HostOwners({
    procRoot,
    netnsPath,
    libc,
    now: () => performance.now(),
    unixMs: Date.now,
  });
  const own = readNamespaceInum(process.pid, { procRoot })!;
  const sameAsFirst = statSync("/proc/1/net/dev").ino === statSync("/proc/self/net/dev").ino;
  assert.deepEqual(owners.namespace(own), sameAsFirst ? { kind: "host" } : undefined);
  assert.equal(owners.isHostAddress("127.0.0.1"), false);
  assert.equal(owners.isHostAddress("203.0.113.77"), false);
  for (const { address } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    const loopback = address.startsWith("127.") || address === "::1";
    assert.equal(owners.isHostAddress(address), !loopback && sameAsFirst, address);
  }
});

test("HostOwners names a namespace of `ip netns` by its mount", (t) => {
  const name = `tcprx-owners-${process.pid}`;
  execFileSync("ip", ["netns", "add", name]);
  t.after(() => execFileSync("ip", ["netns", "del", name]));
  using owners = new HostOwners({
    procRoot,
    netnsPath,
    libc,
    now: () => performance.now(),
    unixMs: Date.now,
  });
  assert.deepEqual(owners.namespace(statSync(join(netnsPath, name)).ino), { kind: "process", name });
});

test("CgroupHandles.pathOf() knows no path outside the part that its mount shows", {
  skip: skip || (libc === undefined && "this Node has no node:ffi"),
}, (t) => {
  const [inside, outside] = [makePod(t, "inside"), makePod(t, "outside")];
  const part = mkdtempSync(join(tmpdir(), "cgroup-part-"));
  execFileSync("mount", ["--bind", dirname(inside.directory), part]);
  t.after(() => {
    execFileSync("umount", [part]);
    rmdirSync(part);
  });
  using handles = CgroupHandles.open(part, { procRoot, libc });
  assert.ok(handles);
  assert.equal(handles.pathOf(inside.id), `/${inside.containerId}`);
  assert.equal(handles.pathOf(outside.id), undefined);
  assert.equal(handles.pathOf(1n), undefined, "the root");
  const shown = findCgroupMount({ procRoot, under: part });
  assert.deepEqual(shown, { path: part, whole: false, homeId: undefined });
});

/** Prints what a HostOwners sees that was made by a program with less than the host's view. */
const LOOK = `
  const { HostOwners } = await import(${JSON.stringify(new URL("../../src/host/host-owners.ts", import.meta.url).href)});
  const { openLibc } = await import(${JSON.stringify(new URL("../../src/syscall/libc.ts", import.meta.url).href)});
  const [netns, cgroup] = JSON.parse(process.env.LOOK_FOR);
  const owners = new HostOwners({ procRoot: "/proc", netnsPath: "/var/run/netns", libc: openLibc(), now: () => performance.now(), unixMs: Date.now });
  console.log(JSON.stringify([owners.cgroupMethod, owners.namespace(netns), owners.cgroup(BigInt(cgroup))]));
  process.exit();`;

function look(program: string, args: readonly string[], pod: Pod, inum: number): unknown {
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", LOOK];
  const env = { ...process.env, LOOK_FOR: JSON.stringify([inum, `${pod.id}`]) };
  return JSON.parse(execFileSync(program, [...args, ...node], { env, encoding: "utf8" }));
}

test("HostOwners sees the host from within a cgroup namespace that holds a single pod", {
  skip,
}, async (t) => {
  const [own, other] = [makePod(t, "ns-own"), makePod(t, "ns-other")];
  const running = await startIn(t, other);
  // A pod has the host's tree at a path of its own, and its part where the host has the whole.
  const script = `set -e
    echo $$ > ${own.directory}/cgroup.procs
    exec unshare -C -m sh -c 'd=$(mktemp -d); mount -t cgroup2 none $d; "$@"; umount $d; rmdir $d' sh "$@"`;
  const owner = { kind: "pod", podUid: other.uid };
  assert.deepEqual(look("sh", ["-c", script, "sh"], other, running.inum), [
    libc === undefined ? "walk" : "handle",
    owner,
    { ...owner, containerId: other.containerId },
  ]);
  assert.match(readFileSync("/proc/self/cgroup", "utf8"), /^0::/m);
});

test("HostOwners walks where a privilege is missing for the handles", { skip }, async (t) => {
  const pod = makePod(t, "unprivileged");
  await startIn(t, pod);
  const seen = look("unshare", ["--user", "--map-root-user"], pod, 1);
  assert.deepEqual(seen, [
    "walk",
    { kind: "process" }, // it may not see all namespaces, so it calls none another node's
    { kind: "pod", podUid: pod.uid, containerId: pod.containerId },
  ]);
});
