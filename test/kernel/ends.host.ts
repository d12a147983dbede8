import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openLibc } from "../../src/syscall/libc.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { findInstance, Program, TCPRETRANS } from "../support/program.ts";

const tracefs = openTracefs({ libc: openLibc() });
let link: LossyLink;
let own: readonly string[];

before(async () => {
  link = await LossyLink.open({
    ports: [7001],
    atServer: ["tcp dport 7001 meta length > 200 numgen inc mod 2 == 0 drop"],
  });
  own = ["-l", ...link.ranges.flatMap((range) => ["--local", range])];
});

after(async () => {
  await link[Symbol.asyncDispose]();
  tracefs[Symbol.dispose]();
});

/** A request whose packet is lost once: one retransmit or loss probe. */
async function retransmitOnce(): Promise<void> {
  assert.deepEqual(await link.ask({ host: link.address("ipv4"), port: 7001, bytes: 1000 }), {
    answered: 1,
    errors: [],
  });
}

function isGone(instance: string): boolean {
  return !existsSync(instance);
}

for (const env of [{}, { TCPRETRANS_NO_FFI: "1" }]) {
  const way = "TCPRETRANS_NO_FFI" in env ? "without" : "with";
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`tcpretrans ${way} node:ffi ends on ${signal} with 0, its last words, and nothing left`, async () => {
      await using program = await Program.tracing(own, { env });
      const { instance } = program;
      assert.ok(existsSync(instance));
      assert.deepEqual(await program.stop(signal), { code: 0, signal: null });
      assert.match(program.stdout, /\nEnding tracing\.\.\.\n$/);
      assert.ok(isGone(instance));
    });
  }
}

test("tcpretrans that is signalled twice, by a terminal and by npm, cleans up all the same", async () => {
  await using program = await Program.tracing(["--verify", ...own]);
  const { instance } = program;
  program.child.kill("SIGINT");
  program.child.kill("SIGINT");
  program.child.kill("SIGTERM");
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.match(program.stdout, /\nEnding tracing\.\.\.\n/);
  assert.ok(isGone(instance));
});

test("tcpretrans leaves nothing when a signal comes while it starts", async () => {
  // From the first moment at which the instance is there.
  await using program = new Program(["--verify"]);
  const findIt = () => findInstance(program.child.pid ?? 0);
  await program.until(() => findIt() !== undefined, "opens an instance");
  const instance = findIt() ?? "";
  assert.deepEqual(await program.stop(), { code: 0, signal: null });
  assert.ok(isGone(instance));
});

test("tcpretrans ends when its output is closed, as by head", { timeout: 30_000 }, async (t) => {
  const shell = spawn("sh", ["-c", `"$0" --json "$@" | head -n 1`, TCPRETRANS, ...own], {
    env: { ...process.env, TCPRETRANS_NODE: process.execPath },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true, // a group of its own, to end the whole pipeline
  });
  t.after(() => over || process.kill(-(shell.pid ?? 0), "SIGKILL"));
  let [output, words, over] = ["", "", false];
  shell.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  shell.stderr.setEncoding("utf8").on("data", (text: string) => (words += text));
  const ended = new Promise((resolve) => shell.on("close", resolve));
  while (!words.includes("Ctrl-C")) await sleep(20);
  void ended.then(() => (over = true));
  for (let i = 0; i < 20 && !over; i++) {
    await retransmitOnce();
    await Promise.race([ended, sleep(200)]);
  }
  assert.ok(over, "it goes on");
  assert.equal(output.split("\n").length, 2);
  assert.doesNotMatch(words, /EPIPE|Error| at /);
});

test("tcpretrans --duration ends by itself", async () => {
  await using program = await Program.tracing(["--duration", "0.5", ...own]);
  const { instance } = program;
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.ok(isGone(instance));
});

test("tcpretrans that starts removes what a killed one left, and not what lives", async () => {
  await using living = await Program.tracing(own);
  await using killed = await Program.tracing(own);
  const [left, other] = [killed.instance, living.instance];
  assert.notEqual(left, other);
  assert.deepEqual(await killed.stop("SIGKILL"), { code: null, signal: "SIGKILL" });
  await using next = await Program.tracing(own);
  assert.ok(isGone(left));
  assert.ok(existsSync(other));
  await Promise.all([living.stop(), next.stop()]);
  assert.ok(isGone(other));
});

test("tcpretrans beside another one sees the same, and goes on when that ends", async () => {
  await using one = await Program.tracing(["--json", ...own]);
  await using two = await Program.tracing(["--json", ...own]);
  await retransmitOnce();
  await two.until(() => two.lines.length === 1, "prints a row");
  await two.stop();
  await retransmitOnce();
  await one.until(() => one.lines.length === 2, "prints two rows");
  await one.stop();
  const ends = (line: string | undefined) => JSON.parse(line ?? "")["source.port"];
  assert.equal(ends(one.lines[0]), ends(two.lines[0]));
});

test("tcpretrans mounts tracefs where it is not, and unmounts it", () => {
  for (const env of [{}, { TCPRETRANS_NO_FFI: "1" }]) {
    // In a mount namespace of its own, so that the machine's tracefs stays as it is.
    const script = `
      for mount in $(awk '$0 ~ / - tracefs / { print $5 }' /proc/self/mountinfo); do umount -l "$mount"; done
      grep ' - tracefs ' /proc/self/mountinfo | wc -l
      "$0" --duration 0.3 > /dev/null 2>&1; echo "ended $?"
      grep ' - tracefs ' /proc/self/mountinfo | wc -l`;
    const command = ["--mount", "--propagation", "private", "sh", "-c", script, TCPRETRANS];
    const text = execFileSync("unshare", command, {
      encoding: "utf8",
      env: { ...process.env, TCPRETRANS_NODE: process.execPath, ...env },
    });
    assert.equal(text, "0\nended 0\n0\n");
  }
});

test("tcpretrans leaves other tools' instances, events and probes as they are", async (t) => {
  const foreign = join(tracefs.path, "instances", `foreign-${process.pid}`);
  const global = join(tracefs.path, "events/tcp/tcp_retransmit_skb/enable");
  const uprobes = join(tracefs.path, "uprobe_events");
  const before = readFileSync(global, "utf8");
  const probe = `foreign_${process.pid}/shell`;
  mkdirSync(foreign);
  t.after(() => {
    writeFileSync(join(foreign, "events/enable"), "0");
    rmdirSync(foreign);
    writeFileSync(global, before);
    if (existsSync(uprobes)) writeFileSync(uprobes, `-:${probe}\n`, { flag: "a" });
  });
  writeFileSync(join(foreign, "events/tcp/tcp_retransmit_skb/enable"), "1");
  writeFileSync(global, "1");
  if (existsSync(uprobes)) writeFileSync(uprobes, `p:${probe} /bin/sh:0x1000\n`, { flag: "a" });
  const state = () => ({
    foreign: readFileSync(join(foreign, "set_event"), "utf8"),
    global: readFileSync(global, "utf8"),
    on: readFileSync(join(tracefs.path, "tracing_on"), "utf8"),
    probes: existsSync(uprobes) && readFileSync(uprobes, "utf8").includes(probe),
  });
  const untouched = state();
  assert.equal(untouched.foreign, "tcp:tcp_retransmit_skb\n");
  await using program = await Program.tracing(["--json", ...own]);
  await retransmitOnce();
  await program.until(() => program.lines.length === 1, "prints a row");
  await program.stop("SIGKILL");
  await using next = await Program.tracing(own);
  await next.stop();
  assert.deepEqual(state(), untouched);
  assert.match(readFileSync(join(foreign, "trace"), "utf8"), /tcp_retransmit_skb: /);
});
