import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { after, before, suite, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openLibc } from "../../src/syscall/libc.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";
import type { Received } from "../export/otlp/decode-otlp.ts";
import { grpcCollector } from "../export/otlp/grpc-collector.ts";
import { AgentProgram, sentRows, sumOf } from "../support/agent-program.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { findInstance, Program } from "../support/program.ts";

const PORT = { random: 7001, closed: 7004 } as const;
const tracefs = openTracefs({ libc: openLibc() });
let link: LossyLink;

before(async () => {
  link = await LossyLink.open({
    ports: [PORT.random],
    atServer: [
      `tcp dport ${PORT.random} meta length > 200 numgen random mod 100 < 20 drop`,
      `tcp dport ${PORT.closed} drop`,
    ],
  });
});

after(async () => {
  await link[Symbol.asyncDispose]();
  tracefs[Symbol.dispose]();
});

/** Some hundred retransmits a second, over about as many seconds or until it is enough; resolves when it is over. */
async function storm(seconds: number, enough?: AbortSignal): Promise<void> {
  const host = link.address("ipv4");
  for (const end = performance.now() + seconds * 1000; performance.now() < end && !enough?.aborted; ) {
    await link.ask({ host, port: PORT.random, connections: 8, bytes: 60_000 });
  }
}

/** Agents of different nodes do not wait for each other. */
const NODES = ["killed-0", "killed-1", "killed-2", "killed-3"];

/** Nobody listens there. */
const AWAY = "http://127.0.0.1:9";

/** Instances of ours that no process holds open: another tcpretrans of this machine may be alive. */
function abandoned(): readonly string[] {
  const names = readdirSync(`${tracefs.path}/instances`).filter((name) => name.startsWith("tcpretrans-"));
  const held = new Set(listProcesses().map((pid) => findInstance(pid)?.split("/").at(-1)));
  return names.filter((name) => !held.has(name));
}

/** What stays is left; one that begins at this moment is not. */
async function assertNothingLeft(): Promise<void> {
  let left = abandoned();
  for (let tries = 0; left.length > 0 && tries < 40; tries++) {
    await sleep(250);
    const now = abandoned();
    left = left.filter((name) => now.includes(name));
  }
  assert.deepEqual(left, []);
}

/** An agent that was told to end three seconds ago and waits for somebody who does not read what it has printed. */
async function beginUnread(t: TestContext, node: string) {
  const collector = await grpcCollector(t);
  const to = ["--otlp-endpoint", `http://127.0.0.1:${collector.port}`, "--node-name", node];
  const agent = await AgentProgram.capturing(to);
  const { child } = agent.program;
  child.stdout?.pause();
  const enough = new AbortController();
  t.after(() => enough.abort());
  const storming = storm(60, enough.signal);
  // More than there is room for on the way.
  await agent.program.until(() => eventsOf(collector.received) > 3000, "sends records", 60);
  child.kill("SIGTERM");
  await sleep(3000);
  assert.equal(child.exitCode, null);
  const dispose = async () => {
    enough.abort();
    await storming;
    await agent[Symbol.asyncDispose]();
  };
  return { agent, collector, [Symbol.asyncDispose]: dispose };
}

/** How many log records it says that it could not send. */
function lostRecords({ log }: AgentProgram): number {
  const said = log.map(({ msg }) => /^(\d+) log records? could not be sent before the end/.exec(msg));
  return Number(said.find((match) => match !== null)?.[1]);
}

function listProcesses(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function eventsOf(records: readonly Received[]): number {
  const counts = records.map(({ attributes }) => Number(attributes["tcp.retransmit.events"] ?? 1));
  return counts.reduce((sum, count) => sum + count, 0);
}

// Of nodes of their own, so that they do not wait for each other; each looks only at what it has itself.
suite("tcpretrans agents side by side", { concurrency: 3 }, () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`tcpretrans agent ends on ${signal} in a storm with 0: all that it saw is sent, nothing is left`, async (t) => {
      const collector = await grpcCollector(t);
      const to = ["--otlp-endpoint", `http://127.0.0.1:${collector.port}`, "--node-name", signal];
      await using agent = await AgentProgram.capturing([...to, "--logs-records-per-second", "50"]);
      const { instance } = agent.program;
      const enough = new AbortController();
      t.after(() => enough.abort());
      const storming = storm(30, enough.signal);
      await agent.program.until(() => agent.rows.length > 50, "prints rows");
      const askedMs = performance.now();
      assert.deepEqual(await agent.stop(signal), { code: 0, signal: null });
      assert.ok(performance.now() - askedMs < 20_000);
      enough.abort();
      assert.ok(!existsSync(instance));
      assert.equal(eventsOf(collector.received), agent.rows.length);
      assert.ok(collector.metrics.length > 0);
      await storming;
    });
  }

  test("tcpretrans agent keeps to its grace period while the collector is away, and says what it could not send", async () => {
    await using agent = await AgentProgram.capturing([
      ...["--otlp-endpoint", AWAY, "--node-name", "away", "--shutdown-grace-seconds", "3"],
    ]);
    await Promise.all([storm(0.5), agent.program.until(() => agent.rows.length > 5, "prints rows")]);
    const askedMs = performance.now();
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    const tookMs = performance.now() - askedMs;
    assert.ok(tookMs > 1000 && tookMs < 8000, `${tookMs} ms`);
    const count = lostRecords(agent);
    // One for each event, or for several where the budget was used up.
    assert.ok(count > 0 && count <= agent.rows.length, `${count} of ${agent.rows.length}`);
  });

  test("tcpretrans agent gives a slow reader the time that it has to take what was printed", async (t) => {
    await using unread = await beginUnread(t, "slow");
    const { agent, collector } = unread;
    agent.program.child.stdout?.resume();
    assert.deepEqual(await agent.program.ended, { code: 0, signal: null });
    assert.equal(agent.rows.length, eventsOf(collector.received));
  });

  test("tcpretrans agent does not wait for its reader after a second signal", async (t) => {
    await using unread = await beginUnread(t, "unread");
    const { child } = unread.agent.program;
    const exited = once(child, "exit");
    const againMs = performance.now();
    child.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null]);
    assert.ok(performance.now() - againMs < 3000);
  });

  test("tcpretrans agent ends at once on a second signal", async () => {
    await using agent = await AgentProgram.capturing(["--otlp-endpoint", AWAY, "--node-name", "second"]);
    const { instance } = agent.program;
    await Promise.all([storm(0.5), agent.program.until(() => agent.rows.length > 5, "prints rows")]);
    agent.program.child.kill("SIGTERM");
    await agent.says(/Ending: .* within 20 s; a second signal ends it at once/);
    await sleep(1200); // a signal of the same second is the first one's echo
    assert.equal(agent.program.child.exitCode, null);
    const againMs = performance.now();
    assert.deepEqual(await agent.stop(), { code: 0, signal: null });
    assert.ok(performance.now() - againMs < 3000);
    assert.ok(lostRecords(agent) > 0, "what waited is not told");
    assert.ok(!existsSync(instance));
  });

  test("tcpretrans agent whose events nobody reads any more ends; without events it goes on", async () => {
    await using printing = await AgentProgram.capturing(["--node-name", "printing"]);
    const silent = ["--node-name", "silent", "--events", "none", "--http-port", String(await freePort())];
    await using quiet = await AgentProgram.capturing(silent);
    const { url } = quiet;
    const instances = [printing.program.instance, quiet.program.instance];
    for (const { program } of [printing, quiet]) program.child.stdout?.destroy();
    // What the second one writes is its log: a gap makes it say something.
    const storming = storm(1);
    assert.deepEqual(await printing.program.ended, { code: 0, signal: null });
    await storming;
    const response = await fetch(`${url}readyz`);
    assert.equal(response.status, 200);
    await sleep(100);
    assert.deepEqual(await quiet.stop(), { code: 0, signal: null });
    for (const instance of instances) assert.ok(!existsSync(instance));
  });

  test("tcpretrans agent is ready when it captures, and not before", async (t) => {
    const port = await freePort();
    await using agent = new AgentProgram(["--node-name", "starts", "--http-port", String(port)]);
    const statuses: number[] = [];
    while (statuses.at(-1) !== 200) {
      const status = await fetch(`http://127.0.0.1:${port}/readyz`).then(
        (response) => response.text().then(() => response.status),
        () => 0,
      );
      if (status === 200) assert.ok(findInstance(agent.program.child.pid ?? 0) !== undefined);
      statuses.push(status);
      assert.equal(agent.program.child.exitCode, null, agent.program.stderr);
      await sleep(2);
    }
    t.diagnostic(`ready ${Math.round(performance.now() - agent.startedMs)} ms after its start`);
    assert.ok(statuses.slice(0, -1).every((status) => status === 0 || status === 503));
    await agent.stop();
  });

  test("tcpretrans agent says in one sentence that its port is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    await using program = new Program(["agent", "--http-port", String(address.port)]);
    assert.equal((await program.ended).code, 8);
    assert.match(
      program.stderr,
      /^Cannot serve health and metrics on 127\.0\.0\.1:\d+: another program has this port\nGive another port/,
    );
    assert.equal(program.lines.length, 0);
    server.close();
  });

  test("tcpretrans agent says all that is wrong with its configuration, and gives 2", async () => {
    const env = { TCPRETRANS_METRICS_DETAIL: "everything" };
    await using program = new Program(["agent", "--http-port", "70000", "--log-level", "loud"], { env });
    assert.equal((await program.ended).code, 2);
    for (const words of [/--http-port/, /--log-level/, /TCPRETRANS_METRICS_DETAIL/])
      assert.match(program.stderr, words);
  });

  test("tcpretrans agent without root says so and gives 4", async () => {
    await using program = new Program(["agent", "--http-port", "0"], {
      through: ["setpriv", "--reuid", "65534", "--clear-groups"],
    });
    assert.equal((await program.ended).code, 4);
    assert.match(
      program.stderr,
      /^Cannot trace the kernel: tcpretrans is not run as root\nRun it with sudo/m,
    );
  });
});

test("tcpretrans agent that starts is ended by a signal, with nothing left", async () => {
  const endAfter = async (waitMs: number) => {
    await using agent = new AgentProgram(["--node-name", `early-${waitMs}`, "--otlp-endpoint", AWAY]);
    await sleep(waitMs);
    const { code, signal } = await agent.stop();
    // Before it listens for them, signals have their usual effect.
    assert.ok(code === 0 || signal === "SIGTERM", `${code} ${agent.program.stderr}`);
  };
  await Promise.all([50, 150, 250, 350, 500, 700].map(endAfter));
  await assertNothingLeft();
});

test("tcpretrans agent that is killed 20 times in a storm leaves nothing to the next, and metrics begin anew", async (t) => {
  const before = { mounts: mounts(), directories: ownDirectories() };
  const enough = new AbortController();
  t.after(() => enough.abort());
  const storming = storm(60, enough.signal);
  let left: readonly string[] = [];
  for (let kills = 0; kills < 20; kills += NODES.length) {
    // Whoever begins first removes what all of them have left; they begin at once.
    const instances = await Promise.all(NODES.map((node) => killInStorm(node, left)));
    assert.equal(new Set(instances).size, NODES.length);
    left = instances;
  }
  enough.abort();
  await using last = await AgentProgram.capturing(["--node-name", "killed-0"]);
  assert.deepEqual(await last.stop(), { code: 0, signal: null });
  await storming;
  await assertNothingLeft();
  assert.deepEqual({ mounts: mounts(), directories: ownDirectories() }, before);
  assert.doesNotMatch(readProbes(), /tcpretrans_/);
});

/** Starts an agent, which finds nothing of those that were killed, and kills it when it counts; gives its instance. */
async function killInStorm(node: string, left: readonly string[]): Promise<string> {
  await using agent = await AgentProgram.capturing(["--node-name", node]);
  const { instance } = agent.program;
  for (const gone of left) assert.ok(!existsSync(gone), `${gone} is there when ${instance} captures`);
  const printed = () => sentRows(agent.rows).length;
  await agent.program.until(() => printed() > 0, "prints a row");
  const counted = sumOf(await agent.metrics(), "tcp_retransmit_segments_total");
  assert.ok(counted > 0 && counted <= printed() + 200, `${counted} after ${printed()} rows`);
  await agent.stop("SIGKILL");
  return instance;
}

function mounts(): number {
  return readFileSync("/proc/self/mountinfo", "utf8").split("\n").length;
}

function ownDirectories(): number {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("tcpretrans-tracefs-")).length;
}

function readProbes(): string {
  const path = `${tracefs.path}/dynamic_events`;
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
