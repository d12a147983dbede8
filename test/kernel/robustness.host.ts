import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openLibc } from "../../src/syscall/libc.ts";
import { parseCpuStats } from "../../src/tracefs/cpu-stats.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { Program } from "../support/program.ts";
import { replayFile } from "../support/replay.ts";

const tracefs = openTracefs({ libc: openLibc() });
const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
const PORT = { once: 7001, closed: 7004 } as const;
const CPU1 = "/sys/devices/system/cpu/cpu1/online";
let link: LossyLink;
let own: readonly string[];

before(async () => {
  const atServer = [
    `tcp dport ${PORT.once} meta length > 200 numgen inc mod 2 == 0 drop`,
    `tcp dport ${PORT.closed} drop`,
  ];
  link = await LossyLink.open({ ports: [PORT.once], atServer });
  own = ["--json", "-l", ...link.ranges.flatMap((range) => ["--local", range])];
});

after(async () => {
  await link[Symbol.asyncDispose]();
  tracefs[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

/** A request whose packet is lost once: one retransmit or loss probe. */
async function retransmitOnce(): Promise<void> {
  const answer = await link.ask({ host: link.address("ipv4"), port: PORT.once, bytes: 1000 });
  assert.deepEqual(answer, { answered: 1, errors: [] });
}

/** Connections that nobody answers: two SYNs more of each. */
async function retransmitSyns(connections: number): Promise<void> {
  await link.ask({ host: link.address("ipv6"), port: PORT.closed, connections });
}

function setEvent(program: Program, event: string, file: "enable" | "filter", text: string): void {
  writeFileSync(join(program.instance, "events/tcp", event, file), text);
}

/** The ring buffers' own counts, summed over CPUs. */
function statsOf(program: Program): { entries: number; overrun: number; read: number } {
  const sum = { entries: 0, overrun: 0, read: 0 };
  for (const cpu of [0, 1, 2, 3]) {
    const path = join(program.instance, `per_cpu/cpu${cpu}/stats`);
    if (!existsSync(path)) continue;
    const stats = parseCpuStats(readFileSync(path, "utf8"));
    sum.entries += stats.entries;
    sum.overrun += stats.overrun;
    sum.read += stats.readEvents;
  }
  return sum;
}

const disturbances: readonly { name: string; disturb: (program: Program) => void }[] = [
  {
    name: "disables its event",
    disturb: (program) => setEvent(program, "tcp_retransmit_skb", "enable", "0"),
  },
  {
    name: "clears its set_event",
    disturb: (program) => writeFileSync(join(program.instance, "set_event"), ""),
  },
  {
    name: "stops its tracing_on",
    disturb: (program) => writeFileSync(join(program.instance, "tracing_on"), "0"),
  },
];
for (const { name, disturb } of disturbances) {
  test(`tcpretrans notices within 3 s that someone ${name}, says so and goes on`, async () => {
    await using program = await Program.tracing(own);
    disturb(program);
    await program.says(/^Another program had switched probes off; they are in place again: /m, 3);
    await retransmitOnce();
    await program.until(() => program.lines.length === 1, "prints a row");
    assert.deepEqual(await program.stop(), { code: 0, signal: null });
    assert.match(program.stderr, /^Gaps: 1 /m);
  });
}

test("tcpretrans --verify names a gap that another program made, and gives 0", async () => {
  await using program = await Program.tracing(["--verify", ...own]);
  setEvent(program, "tcp_retransmit_skb", "enable", "0");
  await retransmitOnce();
  assert.deepEqual(await program.stop(), { code: 0, signal: null });
  assert.match(program.stderr, /^Lost: .*probes switched off by another program once/m);
});

test("tcpretrans --verify gives 3 for what it cannot explain", async () => {
  await using program = await Program.tracing(["--verify", ...own]);
  // A filter takes events away without switching anything off.
  setEvent(program, "tcp_retransmit_skb", "filter", "sport == 1");
  await retransmitSyns(2);
  assert.deepEqual(await program.stop(), { code: 3, signal: null });
  assert.match(program.stderr, /^TCPSynRetrans .* differs .*unexplained$/m);
  assert.match(program.stderr, /^\d+ differences? unexplained/m);
});

test("tcpretrans counts exactly what was overwritten while it could not read", async () => {
  const file = join(directory, "overrun.rec");
  await using recording = await Program.tracing(["record", "--buffer-size", "8", file]);
  await using tracing = await Program.tracing(["--buffer-size", "8", ...own]);
  const both = [recording, tracing];
  for (const program of both) {
    // What other connections of this machine do is kept out of the sums.
    setEvent(program, "tcp_retransmit_skb", "filter", `dport == ${PORT.closed}`);
    setEvent(program, "tcp_retransmit_synack", "filter", `sport == ${PORT.closed}`);
    if (existsSync(join(program.instance, "events/tcp/tcp_cong_state_set")))
      setEvent(program, "tcp_cong_state_set", "filter", `cong_state >= 3 && dport == ${PORT.closed}`);
    program.child.kill("SIGSTOP");
  }
  await retransmitSyns(100);
  for (const program of both) {
    program.child.kill("SIGCONT");
    await program.until(() => statsOf(program).entries === 0, "reads all");
  }
  const [written, traced] = [statsOf(recording), statsOf(tracing)];
  assert.ok(written.overrun > 0 && traced.overrun > 0, "nothing was overwritten");
  for (const program of both) assert.deepEqual(await program.stop(), { code: 0, signal: null });
  assert.match(recording.stderr, new RegExp(`; ${written.overrun} records were overwritten`));
  assert.match(tracing.stderr, new RegExp(`^Lost: ${traced.overrun} records`, "m"));
  const { decoded, events, overrun } = replayFile(file);
  assert.deepEqual([decoded.records, overrun], [written.read, written.overrun]);
  assert.ok(events.length > 0 && events.length < 200);
});

test("tcpretrans keeps reading when a CPU goes offline and comes back", {
  skip: existsSync(CPU1) ? false : "this machine cannot take CPU 1 offline",
}, async (t) => {
  t.after(() => writeFileSync(CPU1, "1"));
  await using program = await Program.tracing(own);
  const before = link.count("RetransSegs");
  const burst = async () => {
    for (let i = 0; i < 4; i++) await retransmitOnce();
  };
  await burst();
  writeFileSync(CPU1, "0");
  await burst();
  await sleep(1100); // the list of CPUs is read every second
  await burst();
  writeFileSync(CPU1, "1");
  await burst();
  await sleep(1100);
  await burst();
  const count = link.count("RetransSegs") - before;
  assert.ok(count >= 20);
  assert.deepEqual(await program.stop(), { code: 0, signal: null });
  assert.equal(program.lines.length, count);
  assert.doesNotMatch(program.stderr, /^(Lost|Gaps|Not decoded)/m);
});
