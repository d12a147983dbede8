import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { test } from "node:test";
import { insideNetwork } from "../../src/host/inside-network.ts";
import { readKernelSymbols } from "../../src/host/kallsyms.ts";
import { readKernelHz } from "../../src/host/kernel-hz.ts";
import { type CounterReading, NamespaceCounterReader } from "../../src/host/namespace-counters.ts";
import { listNetworkNamespaces, type NetworkNamespace } from "../../src/host/network-namespaces.ts";
import { openLibc } from "../../src/syscall/libc.ts";

const procRoot = "/proc";

/** Makes a namespace that only a mount holds, with one refused connection's worth of traffic in it. */
function addNamespace(t: { after(fn: () => void): void }, suffix: string): { name: string; inum: number } {
  const name = `tcprx-counters-${process.pid}-${suffix}`;
  execFileSync("ip", ["netns", "add", name]);
  t.after(() => execFileSync("ip", ["netns", "del", name]));
  execFileSync("ip", ["-n", name, "link", "set", "lo", "up"]);
  return { name, inum: statSync(`/run/netns/${name}`).ino };
}

function connectRefused(name: string, times: number): void {
  const script = `for i in $(seq ${times}); do (: < /dev/tcp/127.0.0.1/9) 2>/dev/null; done; true`;
  execFileSync("ip", ["netns", "exec", name, "bash", "-c", script]);
}

function find(inum: number): NetworkNamespace {
  const found = listNetworkNamespaces({ procRoot }).find((namespace) => namespace.inum === inum);
  assert.ok(found, `namespace ${inum} is listed`);
  return found;
}

function outSegs(reading: CounterReading): bigint {
  assert.equal(
    reading.kind,
    "read",
    JSON.stringify(reading, (_, v) => (typeof v === "bigint" ? `${v}` : v)),
  );
  return (reading.kind === "read" && reading.counters.OutSegs) || 0n;
}

const libc = openLibc();
const ways = [{ way: "nsenter", libc: undefined }, ...(libc === undefined ? [] : [{ way: "setns", libc }])];
for (const { way, libc } of ways) {
  test(`NamespaceCounterReader.read() reads namespaces held only by a mount through ${way}`, async (t) => {
    const busy = addNamespace(t, `${way.slice(0, 1)}1`);
    const quiet = addNamespace(t, `${way.slice(0, 1)}2`);
    connectRefused(busy.name, 5);
    const before = readlinkSync("/proc/self/ns/net");
    const reader = new NamespaceCounterReader({ procRoot, libc });
    assert.equal(find(busy.inum).kind, "mount");
    const [first, second] = await Promise.all([reader.read(find(busy.inum)), reader.read(find(quiet.inum))]);
    // Each refused connection is a SYN; the RST that answers counts too.
    assert.ok(outSegs(first) >= 5n);
    assert.equal(outSegs(second), 0n);
    connectRefused(busy.name, 3);
    assert.ok(outSegs(await reader.read(find(busy.inum))) >= outSegs(first) + 3n);
    assert.equal(readlinkSync("/proc/self/ns/net"), before, "the thread is at home again");
    assert.equal(readlinkSync("/proc/thread-self/ns/net"), before);
    assert.ok(first.kind === "read" && first.from < first.until && first.until <= process.hrtime.bigint());
  });

  test(`NamespaceCounterReader.read() through ${way} says why a namespace that is gone is unreadable`, async (t) => {
    const { name, inum } = addNamespace(t, `${way.slice(0, 1)}3`);
    const reader = new NamespaceCounterReader({ procRoot, libc });
    const gone = await reader.read({ kind: "mount", inum, path: `/run/netns/${name}-gone` });
    assert.equal(gone.kind, "unreadable");
    const other = await reader.read({ kind: "mount", inum: inum + 1, path: `/run/netns/${name}` });
    assert.equal(other.kind, "unreadable");
    const notOne = statSync("/etc/hostname").ino;
    const noNamespace = await reader.read({ kind: "mount", inum: notOne, path: "/etc/hostname" });
    assert.equal(noNamespace.kind, "unreadable");
    assert.equal((await reader.read(find(inum))).kind, "read", "and still reads the others");
  });
}

test("insideNetwork() comes home, also from what has thrown", { skip: libc === undefined }, (t) => {
  assert.ok(libc);
  const { name, inum } = addNamespace(t, "i");
  const home = readlinkSync("/proc/thread-self/ns/net");
  const path = `/run/netns/${name}`;
  const there = insideNetwork(path, () => statSync("/proc/thread-self/ns/net").ino, { procRoot, libc });
  assert.equal(there, inum);
  const fail = () => {
    throw new RangeError("inside");
  };
  assert.throws(() => insideNetwork(path, fail, { procRoot, libc }), RangeError);
  assert.throws(() => insideNetwork("/etc/hostname", fail, { procRoot, libc }), /EINVAL.*setns/);
  assert.equal(readlinkSync("/proc/thread-self/ns/net"), home);
});

test("NamespaceCounterReader.read() reads a namespace through a process that is in it", async (t) => {
  const { name, inum } = addNamespace(t, "p");
  connectRefused(name, 5);
  const child = spawn("ip", ["netns", "exec", name, "sleep", "60"]);
  t.after(() => child.kill());
  while (find(inum).kind !== "process") await new Promise((resolve) => setTimeout(resolve, 10));
  const reader = new NamespaceCounterReader({ procRoot, libc: undefined });
  assert.ok(outSegs(await reader.read(find(inum))) >= 5n);
  const left = await reader.read({ kind: "process", inum: inum + 1, pid: child.pid ?? 0 });
  assert.equal(left.kind, "unreadable", "a process of another namespace is refused");
});

test("listNetworkNamespaces() lists this process's namespace by a process", () => {
  assert.equal(find(statSync("/proc/self/ns/net").ino).kind, "process");
});

test("readKernelHz() finds the HZ of this kernel among those that Kconfig offers", async () => {
  const hz = await readKernelHz({ procRoot });
  assert.ok(hz !== undefined && [100, 250, 300, 1000].includes(hz));
});

test("readKernelSymbols() resolves what this kernel's kallsyms says, in little memory", () => {
  const symbols = readKernelSymbols({ procRoot });
  const line = /^([0-9a-f]+) T tcp_retransmit_skb$/m.exec(readFileSync("/proc/kallsyms", "latin1"));
  const address = BigInt(`0x${line?.[1]}`);
  assert.equal(symbols?.resolve(address + 5n), "tcp_retransmit_skb");
});
