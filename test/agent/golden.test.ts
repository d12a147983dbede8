import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { TCP_STATE_NAMES } from "../../src/event/kernel-tcp.ts";
import type { TcpEvent } from "../../src/event/tcp-event.ts";
import type { ProbeRecord } from "../../src/probe/probe-record.ts";
import { fixturePath, kernelText, RECORDINGS, recordingPath } from "../support/kernels.ts";
import { type Replayed, replayFile } from "../support/replay.ts";

/** `UPDATE_GOLDEN=1` writes what is seen now in place of what is expected. */
const UPDATE = process.env["UPDATE_GOLDEN"] === "1";
/** The kernel's text comes from a second instance, whose record of the same call is written just before or after: an emulated CPU took 4 ms. */
const APART_US = 20_000;

for (const name of RECORDINGS) {
  test(`A recording of ${name} replays to the events of its golden file`, () => {
    const seen = summary(replayFile(recordingPath(name)));
    const path = fixturePath(`${name}.golden.json`);
    if (UPDATE) writeFileSync(path, `${JSON.stringify(seen, null, 1)}\n`);
    assert.deepEqual(JSON.parse(JSON.stringify(seen)), JSON.parse(readFileSync(path, "utf8")));
  });

  if (!existsSync(fixturePath(`${name}.txt`))) continue;
  test(`A recording of ${name} holds exactly the retransmits of the kernel's own text`, () => {
    const { events, header } = replayFile(recordingPath(name));
    const epoch = (BigInt(header.epoch.hi) << 32n) + BigInt(header.epoch.lo);
    const tellsError = kernelText(name).some((line) => line.includes(" err="));
    const known = events.filter((event) => event.error !== undefined);
    const ours = known.map((event) => ({
      key: connection(event, tellsError),
      micros: Number((epoch + BigInt(Math.round(event.time))) / 1000n),
    }));
    const theirs = kernelText(name).map(parseText);
    assert.deepEqual(ours.map(({ key }) => key).sort(), theirs.map(({ key }) => key).sort());
    for (const key of new Set(theirs.map((line) => line.key))) {
      const times = (list: typeof theirs) =>
        list.filter((one) => one.key === key).map(({ micros }) => micros);
      const [a, b] = [times(ours).sort((x, y) => x - y), times(theirs)];
      for (const [i, micros] of a.entries())
        assert.ok(Math.abs(micros - b[i]!) < APART_US, `${key} ${micros} ${b[i]}`);
    }
  });
}

function summary({ header, records, events, synAckTimers, decoded, paired, overrun }: Replayed) {
  const tally = (names: readonly string[]) => {
    const counts: Record<string, number> = {};
    for (const one of names.toSorted()) counts[one] = (counts[one] ?? 0) + 1;
    return counts;
  };
  const kindOf = ({ kind, cause, outcome, socket }: TcpEvent) =>
    `${kind} ${cause} ${outcome} IPv${socket.ipVersion}`;
  const segments: Record<string, number> = {};
  for (const event of events) segments[event.cause] = (segments[event.cause] ?? 0) + (event.segments ?? 0);
  const firsts = events.filter(
    (event, i) => events.findIndex((other) => kindOf(other) === kindOf(event)) === i,
  );
  return {
    kernel: header.kernel,
    rung: header.rung,
    decoded: { ...decoded, faults: Object.fromEntries(decoded.faults) },
    paired,
    overrun,
    records: tally(records.map(({ role }) => role)),
    events: tally(events.map(kindOf)),
    segments,
    synAckTimers: synAckTimers.length,
    stacks: events.filter((event) => event.stack !== undefined).length,
    firsts: firsts.map(plain),
  };
}

/** An event as JSON can hold it; socket keys and stacks are aliases, of no meaning outside the file. */
function plain({ socket: { key: _, ...socket }, stack, ...event }: TcpEvent) {
  const text = JSON.stringify({ ...event, socket, frames: stack?.length }, (_, value) =>
    typeof value === "bigint" ? `${value}` : value,
  );
  return JSON.parse(text);
}

function connection({ socket, cause, error }: TcpEvent, tellsError: boolean): string {
  const { localAddress, localPort, peerAddress, peerPort } = socket;
  const told = tellsError ? ` ${error}` : "";
  const state = cause === "syn_ack" ? "" : ` TCP_${TCP_STATE_NAMES[socket.state]}${told}`;
  return `${localAddress} ${localPort} ${peerAddress} ${peerPort}${state}`;
}

/** `… 56.104243: tcp_retransmit_skb: … sport=5 dport=6 … saddrv6=::ffff:10.9.0.1 daddrv6=… state=TCP_SYN_SENT err=0`. */
function parseText(line: string): { readonly key: string; readonly micros: number } {
  const value = (name: string) => new RegExp(` ${name}=(\\S+)`).exec(line)?.[1];
  const address = (name: string) => value(name)?.replace("::ffff:", "");
  const [, seconds, micros] = / (\d+)\.(\d{6}): tcp_retransmit_s/.exec(line)!;
  const told = value("err") === undefined ? "" : ` ${value("err")}`;
  const state = line.includes("tcp_retransmit_synack") ? "" : ` ${value("state")}${told}`;
  return {
    key: `${address("saddrv6")} ${value("sport")} ${address("daddrv6")} ${value("dport")}${state}`,
    micros: Number(seconds) * 1e6 + Number(micros),
  };
}

for (const { name, inner } of [
  { name: "5.10-nested", inner: "timeout" },
  { name: "6.12-nested", inner: "fast" },
] as const) {
  test(`Pairer pairs A B B A of the recording ${name}: a softirq's retransmit inside a task's, on one CPU`, () => {
    const { records, events } = replayFile(recordingPath(name));
    const nests = [0, 1].flatMap((cpu) => nestsOn(records.filter((record) => record.cpu === cpu)));
    assert.equal(nests.length, 1);
    const [a, b, c, d] = nests[0]!;
    const made = [c, d].map((outcome) =>
      events.find(({ time, cpu }) => time === outcome?.time && cpu === outcome.cpu),
    );
    assert.deepEqual(
      made.map((event) => [event?.socket.key, event?.cause, event?.outcome]),
      [
        [b?.key, inner, "sent"],
        [a?.key, "fast", "sent"],
      ],
    );
    // Neither attempt is told as failed beside it.
    for (const attempt of [a, b]) assert.ok(!events.some(({ time }) => time === attempt?.time));
  });
}

/** Runs of attempt A, attempt B, outcome B, outcome A in the records of one CPU. */
function nestsOn(ofCpu: readonly ProbeRecord[]): readonly (readonly ProbeRecord[])[] {
  const records = ofCpu.filter(({ role }) => ["attempt", "loss_probe", "outcome"].includes(role));
  const runs = records.map((_, i) => records.slice(i, i + 4));
  return runs.filter(([a, b, c, d]) => {
    const outcomes = [a, b, c, d].map((record) => record?.role === "outcome");
    const nested = a?.key === d?.key && b?.key === c?.key && a?.key !== b?.key;
    return nested && outcomes.join() === "false,false,true,true";
  });
}

for (const { name, between } of [
  { name: "6.12-migrated", between: ["attempt", "outcome"] },
  { name: "7.2-migrated", between: [] },
] as const) {
  test(`Pairer pairs an attempt with its outcome on another CPU in the recording ${name}: the task migrated between them`, () => {
    const { records, events, paired } = replayFile(recordingPath(name));
    const migrations = migrationsIn(records);
    assert.equal(migrations.length, 1);
    const [attempt, outcome] = migrations[0]!;
    assert.notEqual(attempt.cpu, outcome.cpu);
    // One call of tcp_retransmit_skb: the same task, the same skb, and the socket's count grew by what was sent.
    assert.equal(attempt.pid, outcome.pid);
    assert.equal(attempt.socket?.seq, outcome.socket?.seq);
    assert.equal(outcome.socket!.totalRetrans! - attempt.socket!.totalRetrans!, outcome.gsoSegs);
    // In 6.12 a softirq that interrupts the task where it has come to retransmits for another socket meanwhile.
    const meanwhile = records.filter(({ time }) => attempt.time < time && time < outcome.time);
    assert.deepEqual(
      meanwhile.map(({ role }) => role),
      between,
    );
    for (const { key, cpu, pid } of meanwhile)
      assert.ok(key !== attempt.key && cpu === outcome.cpu && pid === outcome.pid);

    const made = events.filter(
      ({ socket, time }) => socket.key === attempt.key && attempt.time <= time && time <= outcome.time,
    );
    assert.deepEqual(
      made.map(({ time, cpu, cause, outcome, segments }) => ({ time, cpu, cause, outcome, segments })),
      [{ time: outcome.time, cpu: outcome.cpu, cause: "fast", outcome: "sent", segments: outcome.gsoSegs }],
    );
    // It was not told as an outcome without its attempt.
    assert.equal(paired.orphanOutcomes, 0);
  });
}

test("The task that migrates in the recording 7.2-migrated empties its socket's backlog, in no softirq", () => {
  const { records, symbols } = replayFile(recordingPath("7.2-migrated"));
  for (const { stack } of migrationsIn(records)[0]!) {
    const functions = stack!.map((address) => symbols.get(address)!);
    assert.ok(functions.includes("__release_sock") && functions.includes("tcp_sendmsg"), functions.join());
    assert.ok(!functions.some((name) => name.includes("softirq")), functions.join());
  }
});

/** Attempts whose socket's next record is an outcome on another CPU, each with that outcome. */
function migrationsIn(records: readonly ProbeRecord[]): readonly (readonly [ProbeRecord, ProbeRecord])[] {
  return records.flatMap((attempt, i) => {
    if (attempt.role !== "attempt") return [];
    const next = records.slice(i + 1).find(({ key }) => key === attempt.key);
    return next?.role === "outcome" && next.cpu !== attempt.cpu ? [[attempt, next] as const] : [];
  });
}
