import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startDemo } from "../../src/cli/demo.ts";
import { NamespaceCounterReader } from "../../src/host/namespace-counters.ts";
import { listNetworkNamespaces } from "../../src/host/network-namespaces.ts";
import type { TcpCounterName } from "../../src/host/tcp-counters.ts";

const PLAY = join(import.meta.dirname, "play-demo.ts");
const MAIN = join(import.meta.dirname, "../../src/main.ts");
const NETNS_DIR = "/run/netns";
const procRoot = "/proc";

function options(signal = new AbortController().signal) {
  return { node: process.execPath, main: MAIN, signal };
}

function inumOf(name: string): number {
  return statSync(join(NETNS_DIR, name)).ino;
}

function isInhabited(inum: number): boolean {
  return listNetworkNamespaces({ procRoot }).some((found) => found.kind === "process" && found.inum === inum);
}

/** The sum of a counter over namespaces that processes are in. */
async function count(inums: readonly number[], name: TcpCounterName): Promise<bigint> {
  const reader = new NamespaceCounterReader({ procRoot, libc: undefined });
  let sum = 0n;
  for (const namespace of listNetworkNamespaces({ procRoot })) {
    if (!inums.includes(namespace.inum)) continue;
    const reading = await reader.read(namespace);
    if (reading.kind === "read") sum += reading.counters[name] ?? 0n;
  }
  return sum;
}

async function until(seconds: number, done: () => boolean | Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(50)) {
    if (await done()) return true;
  }
  return false;
}

interface Playing {
  readonly child: ChildProcess;
  readonly namespaces: readonly string[];
  readonly words: string;
}

/** A demonstration in a process of its own, ended with the test. */
async function play(t: TestContext, before: readonly string[] = []): Promise<Playing> {
  const [command, ...args] = [...before, process.execPath, PLAY];
  const child = spawn(command!, args, { stdio: ["pipe", "pipe", "inherit"] });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.stdin.end();
    await once(child, "exit");
  });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return { child, ...JSON.parse(line) };
}

test("startDemo() retransmits within 3 s, for every reason that it is made for, and leaves nothing", async () => {
  const demo = await startDemo(options());
  assert.ok(demo);
  const inums = demo.namespaces.map(inumOf);
  try {
    assert.equal(inums.length, 2);
    assert.match(demo.describe(), /^This is a demonstration: .* run tcpretrans without --demo [^\n]*$/);
    assert.ok(await until(3, async () => (await count(inums, "RetransSegs")) > 0n), "no retransmit in 3 s");
    for (const name of ["TCPFastRetrans", "TCPTimeouts", "TCPLossProbes", "TCPSynRetrans"] as const) {
      assert.ok(await until(30, async () => (await count(inums, name)) > 0n), `no ${name} in 30 s`);
    }
    const [client, server] = demo.namespaces;
    await sleep(2000); // longer than a program of ours lives that has nothing more to do
    const listeners = execFileSync("ip", ["netns", "exec", server!, "cat", "/proc/net/tcp6"]);
    assert.match(listeners.toString(), / 0A /, "nobody serves any more");
    const sockets = execFileSync("ip", ["netns", "exec", client!, "cat", "/proc/net/tcp", "/proc/net/tcp6"]);
    assert.match(sockets.toString(), /^ +\d+: [0-9A-F]{8}:/m, "IPv4 is in use");
    assert.match(sockets.toString(), /^ +\d+: [0-9A-F]{32}:/m, "IPv6 is in use");
  } finally {
    await demo[Symbol.asyncDispose]();
  }
  for (const name of demo.namespaces) assert.ok(!existsSync(join(NETNS_DIR, name)), `${name} is left`);
  for (const inum of inums) assert.ok(!isInhabited(inum), "a process is left");
  assert.doesNotMatch(readFileSync("/proc/net/dev", "utf8"), /demo0/);
});

test("startDemo() removes what a killed demonstration left, whose traffic has ended by itself", async (t) => {
  const { child, namespaces } = await play(t);
  const inums = namespaces.map(inumOf);
  assert.equal(inums.length, 2);
  assert.ok(await until(2, () => inums.every(isInhabited)));
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(await until(2, () => !inums.some(isInhabited)), "its traffic goes on");
  for (const name of namespaces) assert.ok(existsSync(join(NETNS_DIR, name)), "nothing is left to remove");
  await using demo = await startDemo(options());
  assert.ok(demo);
  for (const name of namespaces) assert.ok(!existsSync(join(NETNS_DIR, name)), `${name} is left`);
  for (const name of demo.namespaces) assert.ok(existsSync(join(NETNS_DIR, name)));
});

test("startDemo() leaves a demonstration alone that is alive", async (t) => {
  const { child, namespaces } = await play(t);
  await using _demo = await startDemo(options());
  for (const name of namespaces) assert.ok(existsSync(join(NETNS_DIR, name)), `${name} was removed`);
  assert.equal(child.exitCode, null);
});

test("startDemo() without ip and nft fills an accept queue on loopback, and says what to install", async (t) => {
  const name = `tcpretrans-test-${process.pid}`;
  execFileSync("ip", ["netns", "add", name]);
  t.after(() => execFileSync("ip", ["netns", "del", name]));
  execFileSync("ip", ["-n", name, "link", "set", "lo", "up"]);
  const inum = inumOf(name);
  const { child, namespaces, words } = await play(t, ["ip", "netns", "exec", name, "/usr/bin/env", "PATH="]);
  assert.deepEqual(namespaces, []);
  assert.match(
    words,
    /^This is a demonstration: .*apt-get install iproute2 nftables.* without --demo [^\n]*$/,
  );
  assert.ok(await until(3, async () => (await count([inum], "RetransSegs")) > 0n), "no retransmit in 3 s");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.ok(await until(2, () => !isInhabited(inum)), "its traffic goes on");
});

test("startDemo() that is aborted gives nothing and leaves nothing", async () => {
  const stop = new AbortController();
  const starting = startDemo(options(stop.signal));
  stop.abort();
  assert.equal(await starting, undefined);
  const left = readdirSync(NETNS_DIR).filter((name) => name.startsWith(`tcpretrans-demo-${process.pid}-`));
  assert.deepEqual(left, []);
});
