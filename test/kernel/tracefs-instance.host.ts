import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { openLibc } from "../../src/syscall/libc.ts";
import { defineProbe, listDynamicEvents } from "../../src/tracefs/dynamic-events.ts";
import { Instance } from "../../src/tracefs/instance.ts";
import { readKprobeProfile } from "../../src/tracefs/kprobe-profile.ts";
import { removeLeftovers } from "../../src/tracefs/leftovers.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

const withFfi = openLibc();
const tracefs = openTracefs({ libc: withFfi });
after(() => tracefs[Symbol.dispose]());
const create = (libc = withFfi, bufferSizeKb = 64) => Instance.create(tracefs, { bufferSizeKb, libc });
const directory = (id: string) => join(tracefs.path, "instances", `tcpretrans-${id}`);
const text = (...path: string[]) => readFileSync(join(...path), "utf8").trim();

/** Some inet_sock_set_state records. */
async function connectOnce(): Promise<void> {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const client = connect(address.port, "127.0.0.1");
  await once(client, "close");
  server.close();
}

test("Instance.create() sets clock, size and options of a private buffer, and dispose removes it", () => {
  const instance = create();
  const path = directory(instance.id);
  assert.match(instance.id, /^[0-9a-f]{8}$/);
  assert.equal(instance.group, `tcpretrans_${instance.id}`);
  assert.match(text(path, "trace_clock"), /\[mono\]/);
  assert.ok(Number(text(path, "buffer_size_kb")) >= 64 && Number(text(path, "buffer_size_kb")) < 80); // whole pages
  assert.equal(text(path, "buffer_percent"), "0");
  assert.equal(text(path, "tracing_on"), "1");
  const options = text(path, "trace_options").split("\n");
  for (const option of [
    "overwrite",
    "disable_on_free",
    "norecord-cmd",
    "norecord-tgid",
    "nostacktrace",
    "noblock",
  ]) {
    assert.ok(options.includes(option), option);
  }
  instance[Symbol.dispose]();
  instance[Symbol.dispose]();
  assert.equal(existsSync(path), false);
});

test("Instance.create() lets nobody remove the directory while it lives", () => {
  using instance = create();
  assert.throws(() => rmdirSync(directory(instance.id)), { code: "EBUSY" });
});

test("Instance.create() with an id that exists says so", () => {
  using instance = create();
  assert.throws(() => Instance.create(tracefs, { bufferSizeKb: 64, id: instance.id }), {
    name: "SetupError",
    code: "instance",
    message: `Cannot make instance "tcpretrans-${instance.id}": the kernel says EEXIST`,
  });
});

test("Instance.create() with a size that memory cannot hold leaves nothing behind", () => {
  const id = "0badbad0";
  assert.throws(() => Instance.create(tracefs, { bufferSizeKb: 2 ** 50, id }), {
    name: "SetupError",
    code: "instance",
  });
  assert.equal(existsSync(directory(id)), false);
});

for (const { name, libc, skip } of [
  { name: "with node:ffi", libc: withFfi, skip: withFfi === undefined ? "this Node has no node:ffi" : false },
  { name: "without node:ffi", libc: undefined, skip: false },
]) {
  test(`CpuPipe.read() ${name} gives the pages that an enabled event wrote, and stats count them`, {
    skip,
  }, async () => {
    using instance = Instance.create(tracefs, { bufferSizeKb: 64, libc });
    const pipes = instance.onlineCpus().map((cpu) => instance.openCpu(cpu));
    const page = new Uint8Array(65_536);
    for (const pipe of pipes) assert.equal(pipe.read(page), 0);
    await connectOnce();
    for (const pipe of pipes) assert.equal(pipe.read(page), 0, "nothing before enable()");
    instance.enable("sock", "inet_sock_set_state");
    await connectOnce();
    const inBuffer = pipes.reduce((sum, { cpu }) => sum + instance.readStats(cpu).entries, 0);
    assert.ok(inBuffer >= 4, `${inBuffer} records`);
    let bytes = 0;
    for (const pipe of pipes) bytes += pipe.read(page);
    assert.ok(bytes >= 4096 && bytes % 4096 === 0, `${bytes} bytes`);
    const stats = pipes.map(({ cpu }) => instance.readStats(cpu));
    const sum = (key: "readEvents" | "overrun" | "dropped") =>
      stats.reduce((total, stat) => total + stat[key], 0);
    assert.equal(sum("readEvents"), inBuffer);
    assert.equal(sum("overrun") + sum("dropped"), 0);
  });
}

test("PollSet.poll() sees a first record in an instance's pipes", {
  skip: withFfi === undefined,
}, async () => {
  using instance = create();
  const pipes = instance.onlineCpus().map((cpu) => instance.openCpu(cpu));
  const set = withFfi?.pollSet(pipes.map(({ fd }) => fd));
  assert.equal(set?.poll(), 0);
  instance.enable("sock", "inet_sock_set_state");
  await connectOnce();
  const ready = set?.poll() ?? 0;
  assert.ok(ready >= 1);
  const page = new Uint8Array(65_536);
  pipes.forEach((pipe, index) => {
    assert.equal(pipe.read(page) > 0, set?.ready(index), `CPU ${pipe.cpu}`);
  });
});

test("Instance.filter() keeps records out, and a filter that the kernel refuses is one sentence", async () => {
  using instance = create();
  instance.filter("sock", "inet_sock_set_state", "family == 99");
  instance.enable("sock", "inet_sock_set_state");
  await connectOnce();
  const entries = instance.onlineCpus().reduce((sum, cpu) => sum + instance.readStats(cpu).entries, 0);
  assert.equal(entries, 0);
  assert.throws(() => instance.filter("sock", "inet_sock_set_state", "nonsense == 1"), {
    name: "SetupError",
    message: 'Cannot set filter of "sock:inet_sock_set_state": the kernel says EINVAL',
  });
});

test("Instance.readFormat() and kernelStackFormat() parse the kernel's own text", () => {
  using instance = create();
  const format = instance.readFormat("tcp", "tcp_retransmit_skb");
  assert.equal(format.name, "tcp_retransmit_skb");
  assert.ok(format.fields.some(({ name }) => name === "skaddr"));
  assert.ok(instance.kernelStackFormat().fields.some(({ name }) => name === "caller"));
  assert.match(instance.readHeaderPage(), /field: char data;\s+offset:16;/);
});

test("Instance.enable() and readFormat() of an event that is not there throw no-event", () => {
  using instance = create();
  assert.equal(instance.hasEvent("tcp", "tcp_retransmit_skb"), true);
  assert.equal(instance.hasEvent("tcp", "tcp_nonsense"), false);
  const expected = {
    name: "SetupError",
    code: "no-event",
    message: /"tcp:tcp_nonsense": this kernel has no such event/,
  };
  assert.throws(() => instance.enable("tcp", "tcp_nonsense"), expected);
  assert.throws(() => instance.readFormat("tcp", "tcp_nonsense"), expected);
  instance.disable("tcp", "tcp_nonsense");
});

test("Instance.armed() notices who switched an event or the instance off", () => {
  using instance = create();
  const expected = [
    { group: "tcp", event: "tcp_retransmit_skb" },
    { group: "tcp", event: "tcp_retransmit_synack" },
  ];
  for (const { group, event } of expected) instance.enable(group, event);
  assert.deepEqual(instance.armed(expected), { missing: [], tracingOn: true });
  const path = directory(instance.id);
  writeFileSync(join(path, "events/tcp/tcp_retransmit_synack/enable"), "0");
  writeFileSync(join(path, "tracing_on"), "0");
  assert.deepEqual(instance.armed(expected), { missing: [expected[1]], tracingOn: false });
  instance.enable("tcp", "tcp_retransmit_synack");
  instance.turnOn();
  assert.deepEqual(instance.armed(expected), { missing: [], tracingOn: true });
});

test("Instance.setStacktrace() adds a kernel_stack record to each record", async () => {
  const entries = async (on: boolean) => {
    using instance = create();
    instance.setStacktrace(on);
    instance.enable("sock", "inet_sock_set_state");
    instance.filter("sock", "inet_sock_set_state", "oldstate == 7 && newstate == 2"); // CLOSE to SYN_SENT
    await connectOnce();
    return instance.onlineCpus().reduce((sum, cpu) => sum + instance.readStats(cpu).entries, 0);
  };
  assert.equal((await entries(true)) % 2, 0);
  assert.ok((await entries(true)) >= 2);
  assert.ok((await entries(false)) >= 1);
});

test("Instance.clockNow() is CLOCK_MONOTONIC, as process.hrtime", () => {
  using instance = create();
  const before = process.hrtime.bigint();
  const now = instance.clockNow();
  const after_ = process.hrtime.bigint();
  assert.ok(now >= before - 1000n && now <= after_, `${before} ${now} ${after_}`);
});

test("Instance does not disturb another one, nor the global buffer", async () => {
  const globalBefore = [
    text(tracefs.path, "trace_clock"),
    text(tracefs.path, "trace_options"),
    text(tracefs.path, "buffer_size_kb"),
  ];
  using first = create();
  {
    using second = create();
    first.enable("sock", "inet_sock_set_state");
    second.enable("tcp", "tcp_retransmit_skb");
    await connectOnce();
    assert.deepEqual(second.armed([{ group: "tcp", event: "tcp_retransmit_skb" }]).missing, []);
  }
  assert.deepEqual(first.armed([{ group: "sock", event: "inet_sock_set_state" }]).missing, []);
  assert.equal(text(tracefs.path, "events/sock/inet_sock_set_state/enable"), "0");
  const globalAfter = [
    text(tracefs.path, "trace_clock"),
    text(tracefs.path, "trace_options"),
    text(tracefs.path, "buffer_size_kb"),
  ];
  assert.deepEqual(globalAfter, globalBefore);
});

async function startHolder(): Promise<{ id: string; kill(): Promise<void> }> {
  const script = join(import.meta.dirname, "../tracefs/hold-instance.ts");
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const kill = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { id: String(line).trim(), kill };
}

test("removeLeftovers() leaves the instance of a living process and removes that of a killed one", async () => {
  const foreign = join(tracefs.path, "instances", `other-tool-${process.pid}`);
  mkdirSync(foreign);
  const living = await startHolder();
  const killed = await startHolder();
  using mine = create();
  try {
    await killed.kill();
    assert.ok(existsSync(directory(killed.id)), "SIGKILL leaves it behind");
    assert.equal(text(directory(killed.id), "tracing_on"), "0", "the kernel has stopped it");
    const removed = removeLeftovers(tracefs);
    assert.ok(removed.instances.includes(`tcpretrans-${killed.id}`), JSON.stringify(removed));
    assert.equal(existsSync(directory(killed.id)), false);
    assert.ok(existsSync(directory(living.id)));
    assert.ok(existsSync(directory(mine.id)));
    assert.ok(existsSync(foreign));
  } finally {
    await living.kill();
    removeLeftovers(tracefs);
    rmdirSync(foreign);
  }
  assert.equal(existsSync(directory(living.id)), false);
});

test("removeLeftovers() in another process breaks no start, however often it runs", async () => {
  const script = join(import.meta.dirname, "../tracefs/sweep-leftovers.ts");
  const sweeper = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(sweeper.stdout, "data");
  try {
    for (let round = 0; round < 25; round++) {
      using instance = create();
      instance.enable("tcp", "tcp_retransmit_skb");
      const expected = [{ group: "tcp", event: "tcp_retransmit_skb" }];
      assert.deepEqual(instance.armed(expected), { missing: [], tracingOn: true });
    }
  } finally {
    sweeper.kill("SIGKILL");
    await once(sweeper, "exit");
  }
});

test("Instance dispose leaves a directory that someone looks into, and the next start removes it", () => {
  const instance = create();
  const looking = openSync(join(directory(instance.id), "trace"), "r");
  instance[Symbol.dispose]();
  assert.ok(existsSync(directory(instance.id)));
  closeSync(looking);
  assert.ok(removeLeftovers(tracefs).instances.includes(`tcpretrans-${instance.id}`));
});

const hasKprobes = existsSync(join(tracefs.path, "kprobe_events"));
test("defineProbe() on a kernel without kprobes is one sentence", {
  skip: hasKprobes && "this kernel has kprobes",
}, () => {
  const before = listDynamicEvents(tracefs);
  assert.throws(() => defineProbe(tracefs, "p:tcpretrans_0badcafe/rtx tcp_retransmit_skb"), {
    name: "SetupError",
    code: "no-probe",
    message: "Cannot install kprobes: this kernel was built without CONFIG_KPROBE_EVENTS",
  });
  assert.deepEqual(listDynamicEvents(tracefs), before);
  assert.equal(readKprobeProfile(tracefs).size, 0);
});
