import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync } from "node:fs";
import { connect, createServer } from "node:net";
import { release } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openLibc } from "../../src/syscall/libc.ts";
import { defineProbe, listDynamicEvents, removeProbe } from "../../src/tracefs/dynamic-events.ts";
import { Instance } from "../../src/tracefs/instance.ts";
import { readKprobeProfile } from "../../src/tracefs/kprobe-profile.ts";
import { removeLeftovers } from "../../src/tracefs/leftovers.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

const libc = openLibc();
const tracefs = openTracefs({ libc });
after(() => tracefs[Symbol.dispose]());
const create = () => Instance.create(tracefs, { bufferSizeKb: 64, libc });
const skip = existsSync(join(tracefs.path, "kprobe_events")) ? false : "this kernel has no kprobes";
const [major = 0, minor = 0] = release().split(".").map(Number);
const atLeast = (wantedMajor: number, wantedMinor: number) =>
  major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);

async function connectOnce(): Promise<void> {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  await once(connect(address.port, "127.0.0.1"), "close");
  server.close();
}

test("defineProbe() installs a kprobe that fires, is profiled, and is removed only when off", {
  skip,
}, async () => {
  using instance = create();
  const { group } = instance;
  const definition = `p:${group}/t_connect tcp_connect sk=$arg1:x64 st=+18($arg1):u8`;
  const installed = defineProbe(tracefs, definition);
  assert.deepEqual([installed.type, installed.group, installed.event], ["p", group, "t_connect"]);
  assert.deepEqual(
    instance
      .readFormat(group, "t_connect")
      .fields.map(({ name }) => name)
      .slice(4),
    ["__probe_ip", "sk", "st"],
  );
  const pipes = instance.onlineCpus().map((cpu) => instance.openCpu(cpu));
  instance.enable(group, "t_connect");
  await connectOnce();
  const page = new Uint8Array(65_536);
  assert.ok(pipes.some((pipe) => pipe.read(page) > 0));
  assert.deepEqual(readKprobeProfile(tracefs).get("t_connect"), { hits: 1, misses: 0 });
  assert.throws(() => removeProbe(tracefs, group, "t_connect"), {
    name: "SetupError",
    message: /the kernel says EBUSY/,
  });
  instance.disable(group, "t_connect");
  assert.equal(removeProbe(tracefs, group, "t_connect"), true);
  assert.equal(removeProbe(tracefs, group, "t_connect"), false);
  assert.deepEqual(
    listDynamicEvents(tracefs).filter((event) => event.group === group),
    [],
  );
});

test("defineProbe() says what the kernel says of a bad symbol and bad syntax", { skip }, () => {
  using instance = create();
  const message = (definition: string): string => {
    try {
      defineProbe(tracefs, definition);
    } catch (error) {
      return (error as Error).message;
    }
    return "installed";
  };
  const head = `p:${instance.group}/bad`;
  const said = {
    symbol: message(`${head} tcp_nonsense_symbol`),
    variable: message(`${head} tcp_connect a=$nonsense`),
    type: message(`${head} tcp_connect a=$arg1:nonsense`),
    event: message(`e:${instance.group}/bad tcp.tcp_nonsense a=$skaddr`),
  };
  console.log(release(), said);
  assert.match(
    said.symbol,
    /^Cannot install probe ".*\/bad": the kernel says ("Invalid probed address or symbol" \((ENOENT|EINVAL)\)|ENOENT: )/,
  );
  assert.match(said.variable, /the kernel says "Invalid \$-va[rl]iable specified" \(EINVAL\)$/);
  assert.match(said.type, /the kernel says "Unknown type is specified" \(EINVAL\)$/);
  assert.match(said.event, atLeast(5, 15) ? /the kernel says/ : /no event probes \(Linux 5\.15 or newer/);
  assert.deepEqual(
    listDynamicEvents(tracefs).filter(({ group }) => group === instance.group),
    [],
  );
});

test("defineProbe() takes an event probe since 5.15 and quotes nobody else's error before", { skip }, () => {
  using instance = create();
  // An older error stands in the log when 5.10 refuses without a word.
  assert.throws(() => defineProbe(tracefs, `p:${instance.group}/older tcp_connect a=$nonsense`));
  const definition = `e:${instance.group}/out tcp.tcp_retransmit_skb sk=$skaddr:x64`;
  if (!atLeast(5, 15)) {
    assert.throws(() => defineProbe(tracefs, definition), {
      name: "SetupError",
      code: "no-probe",
      message: `Cannot install probe "e:${instance.group}/out": the kernel says EINVAL: the definition is invalid here, or no event probes (Linux 5.15 or newer, CONFIG_EPROBE_EVENTS)`,
    });
    return;
  }
  defineProbe(tracefs, definition);
  assert.equal(instance.hasEvent(instance.group, "out"), true);
  instance.enable(instance.group, "out");
  instance.disable(instance.group, "out");
  assert.equal(removeProbe(tracefs, instance.group, "out"), true);
});

test("defineProbe() twice is an error, with another symbol too, which the kernel would append", {
  skip,
}, () => {
  using instance = create();
  const head = `p:${instance.group}/twice`;
  defineProbe(tracefs, `${head} tcp_connect`);
  assert.throws(() => defineProbe(tracefs, `${head} tcp_connect`), { code: "no-probe", message: /EEXIST/ });
  assert.throws(() => defineProbe(tracefs, `${head} tcp_close`), { message: /on another symbol$/ });
  assert.deepEqual(
    listDynamicEvents(tracefs).filter(({ group }) => group === instance.group),
    [],
  );
});

test("Instance.armed() notices that someone removed a probe", { skip }, () => {
  using instance = create();
  const probe = { group: instance.group, event: "t_gone" };
  const definition = `p:${probe.group}/${probe.event} tcp_connect`;
  defineProbe(tracefs, definition);
  instance.enable(probe.group, probe.event);
  assert.deepEqual(instance.armed([probe]).missing, []);
  instance.disable(probe.group, probe.event);
  appendFileSync(join(tracefs.path, "kprobe_events"), `-:${probe.group}/${probe.event}\n`);
  assert.deepEqual(instance.armed([probe]).missing, [probe]);
  assert.throws(() => instance.enable(probe.group, probe.event), { code: "no-event" });
  defineProbe(tracefs, definition);
  instance.enable(probe.group, probe.event);
  assert.deepEqual(instance.armed([probe]).missing, []);
  instance.disable(probe.group, probe.event);
  removeProbe(tracefs, probe.group, probe.event);
});

async function startHolder(): Promise<{ id: string; kill(): Promise<void> }> {
  const script = join(import.meta.dirname, "../tracefs/hold-instance.ts");
  const child = spawn(process.execPath, [script, "tcp_connect"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(child.stdout, "data");
  const kill = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { id: String(line).trim(), kill };
}

test("removeLeftovers() removes the probes of a killed process, not those of a living one or another tool", {
  skip,
}, async () => {
  const foreign = `foreign_${process.pid}`;
  appendFileSync(join(tracefs.path, "kprobe_events"), `p:kprobes/${foreign} tcp_close\n`);
  const living = await startHolder();
  const killed = await startHolder();
  const groups = () => listDynamicEvents(tracefs).map(({ group, event }) => `${group}/${event}`);
  try {
    await killed.kill();
    assert.ok(groups().includes(`tcpretrans_${killed.id}/held`), "SIGKILL leaves it behind");
    const removed = removeLeftovers(tracefs);
    assert.ok(removed.instances.includes(`tcpretrans-${killed.id}`), JSON.stringify(removed));
    assert.ok(removed.probes.includes(`tcpretrans_${killed.id}/held`), JSON.stringify(removed));
    assert.equal(groups().includes(`tcpretrans_${killed.id}/held`), false);
    assert.ok(groups().includes(`tcpretrans_${living.id}/held`));
    assert.ok(groups().includes(`kprobes/${foreign}`));
  } finally {
    await living.kill();
    removeLeftovers(tracefs);
    appendFileSync(join(tracefs.path, "kprobe_events"), `-:kprobes/${foreign}\n`);
  }
  assert.equal(groups().includes(`tcpretrans_${living.id}/held`), false);
});
