import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { AgentProgram, sentRows, sumOf } from "../support/agent-program.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { Program } from "../support/program.ts";

const PORT = { random: 7001, closed: 7004 } as const;
const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
let link: LossyLink;

before(async () => {
  link = await LossyLink.open({ ports: [PORT.random] });
});

after(async () => {
  await link[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function lose(): void {
  link.rules(link.server, [
    `tcp dport ${PORT.random} meta length > 200 numgen random mod 100 < 20 drop`,
    `tcp dport ${PORT.closed} drop`,
  ]);
}

async function storm(seconds: number): Promise<void> {
  lose();
  const host = link.address("ipv4");
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    await link.ask({ host, port: PORT.random, connections: 8, bytes: 60_000 });
  }
  link.rules(link.server, []);
}

function sentOfLink(agent: AgentProgram): number {
  return sentRows(agent.rows).filter((row) => link.has(String(row[KEYS.sourceAddress]))).length;
}

test("tcpretrans agent that stands still for 3 s in a storm loses only what it counts as overrun, and goes on", async () => {
  await using large = await AgentProgram.capturing(["--node-name", "large"]);
  await using small = await AgentProgram.capturing(["--node-name", "small", "--buffer-size", "8"]);
  const both = [large, small];
  const before = link.count("RetransSegs");
  for (const { program } of both) program.child.kill("SIGSTOP");
  await Promise.all([storm(1.5), sleep(3000)]);
  for (const { program } of both) program.child.kill("SIGCONT");
  const happened = link.count("RetransSegs") - before;
  await large.program.until(() => sentOfLink(large) >= happened, "prints all");
  for (const agent of both) {
    assert.equal((await agent.ask("livez")).status, 200);
    assert.equal((await agent.told("readyz", ({ status }) => status === 200)).status, 200);
  }
  const lost = async (agent: AgentProgram) => sumOf(await agent.metrics(), "tcpretrans_records_lost_total");
  assert.equal(await lost(large), 0);
  assert.equal(sentOfLink(large), happened);
  const overwritten = await lost(small);
  assert.ok(overwritten > 0 && sentOfLink(small) < happened);
  assert.ok(overwritten >= happened - sentOfLink(small), `${overwritten} records`);
  // So few that they have room in the small buffers too: SYNs that nobody answers, at least one more of each.
  const seen = sentOfLink(small);
  lose();
  await link.ask({ host: link.address("ipv4"), port: PORT.closed, connections: 3 });
  await small.program.until(() => sentOfLink(small) >= seen + 3, "sees all again");
  for (const agent of both) assert.deepEqual(await agent.stop(), { code: 0, signal: null });
});

const disturbances: readonly { name: string; disturb: (instance: string) => void }[] = [
  {
    name: "disables its event",
    disturb: (instance) => writeFileSync(join(instance, "events/tcp/tcp_retransmit_skb/enable"), "0"),
  },
  { name: "stops its tracing_on", disturb: (instance) => writeFileSync(join(instance, "tracing_on"), "0") },
];
test("tcpretrans agent tells on its port that someone switched its probes off, puts them back and counts the gap", async () => {
  await using agent = await AgentProgram.capturing(["--node-name", "disturbed"]);
  for (const [i, { name, disturb }] of disturbances.entries()) {
    disturb(agent.program.instance);
    const gap = new RegExp(`^probes: degraded: Another program switched them off .*gaps so far: ${i + 1}`);
    const told = await agent.told("readyz", ({ lines }) => lines.some((line) => gap.test(line)), 5);
    assert.equal(told.status, 200, name);
    assert.equal(sumOf(await agent.metrics(), "tcpretrans_gaps_total"), i + 1, name);
    const before = sentOfLink(agent);
    await storm(0.1);
    await agent.program.until(() => sentOfLink(agent) > before, `sees retransmits after one ${name}`);
  }
  assert.deepEqual(await agent.stop(), { code: 0, signal: null });
});

test("tcpretrans agent that the machine lets capture nothing says so and gives 4", async () => {
  const args = ["agent", "--http-port", "0", "--host-tracefs-path", directory];
  await using program = new Program(args);
  assert.equal((await program.ended).code, 4);
  assert.match(
    program.stderr,
    /^Cannot use tracefs: nothing is in it at .*\nMount it on the host: mount -t/m,
  );
});

/** Programs of tests beside this one may have found it too. */
async function unmount(path: string): Promise<void> {
  for (let tries = 150; tries > 0; tries--) {
    if (spawnSync("umount", [path], { stdio: "ignore" }).status === 0) return;
    await sleep(200);
  }
  execFileSync("umount", [path]);
}

test("tcpretrans agent in a pod stays alive and unready while the machine refuses, and captures when it may", async (t) => {
  const tracefs = mkdtempSync(join(directory, "tracefs-"));
  const port = 20_000 + (process.pid % 10_000);
  await using agent = new AgentProgram(
    ["--http-port", String(port), "--host-tracefs-path", tracefs, "--kubernetes", "false"],
    { env: { KUBERNETES_SERVICE_HOST: "192.0.2.1" } },
  );
  await agent.says(/Cannot use tracefs/);
  const ask = async (path: string) => await fetch(`http://127.0.0.1:${port}/${path}`);
  assert.equal((await ask("livez")).status, 200);
  const unready = await ask("readyz");
  assert.equal(unready.status, 503);
  assert.match(await unready.text(), /^probes: failing: Cannot use tracefs: nothing is in it at .*Mount it/m);
  execFileSync("mount", ["-t", "tracefs", "tracefs", tracefs]);
  t.after(() => unmount(tracefs));
  await agent.says(/Capturing is possible now/);
  await agent.told("readyz", ({ status }) => status === 200);
  await storm(0.1);
  await agent.program.until(() => sentOfLink(agent) > 0, "prints rows");
  const { instance } = agent.program;
  assert.deepEqual(await agent.stop(), { code: 0, signal: null });
  assert.ok(!existsSync(instance));
});
