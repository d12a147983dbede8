import assert from "node:assert/strict";
import { test } from "node:test";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import type { ProbeRecord } from "../../src/probe/probe-record.ts";
import { keepingPairer, probeRecord } from "../support/probe-records.ts";

/** The timer leaves `icsk_pending` at ICSK_TIME_LOSS_PROBE while tcp_send_loss_probe runs. */
const PROBING = { caState: 0, pending: 5 };
const RECOVERY = { caState: 3, pending: 1 };
const LOSS = { caState: 4, pending: 0 };

const probe = (time: number, tlpHighSeq = 0) =>
  probeRecord("loss_probe", { time, tlpHighSeq, socket: PROBING });
const returned = (time: number, tlpHighSeq: number) =>
  probeRecord("loss_probe_return", { time, tlpHighSeq, socket: null });
const sent = (time: number, more: Partial<ProbeRecord> = {}) =>
  probeRecord("outcome", { time, gsoSegs: 1, ...more, key: 1, socket: PROBING } as never);

interface Row {
  readonly name: string;
  readonly records: readonly ProbeRecord[];
  /** Each event's kind, cause, outcome and segments. */
  readonly events: readonly (readonly [string, string, string, number | undefined])[];
  readonly orphans?: number;
}

const SENT = ["loss_probe", "tail_loss_probe", "sent", 1] as const;
const NOTHING = ["loss_probe", "tail_loss_probe", "nothing", 0] as const;
const NEW_DATA = ["loss_probe", "tail_loss_probe", "new_data", undefined] as const;
const UNKNOWN = ["loss_probe", "tail_loss_probe", "unknown", undefined] as const;
const FAST = ["retransmit", "fast", "sent", 2] as const;

const attempt = (time: number, tlpHighSeq = 0) =>
  probeRecord("attempt", { time, tlpHighSeq, socket: RECOVERY });
const outcome = (time: number, tlpHighSeq = 0) =>
  probeRecord("outcome", { time, tlpHighSeq, gsoSegs: 2, socket: RECOVERY });

const ROWS: readonly Row[] = [
  { name: "sent when an outcome follows", records: [probe(1), sent(2)], events: [SENT] },
  {
    name: "sent although its return comes after",
    records: [probe(1), sent(2), returned(3, 9)],
    events: [SENT],
  },
  { name: "sent by the outcome alone", records: [sent(2)], events: [SENT], orphans: 1 },
  { name: "nothing at once when one is outstanding", records: [probe(1, 500)], events: [NOTHING] },
  { name: "nothing once, also with a return", records: [probe(1, 500), returned(2, 500)], events: [NOTHING] },
  {
    name: "nothing when tlp_high_seq is 0 on return",
    records: [probe(1), returned(2, 0)],
    events: [NOTHING],
  },
  {
    name: "new_data when tlp_high_seq is set on return",
    records: [probe(1), returned(2, 700)],
    events: [NEW_DATA],
  },
  {
    name: "new_data when the next attempt finds tlp_high_seq set",
    records: [probe(1), attempt(9, 700), outcome(10, 700)],
    events: [NEW_DATA, FAST],
  },
  {
    name: "new_data and then nothing when the next probe finds tlp_high_seq set",
    records: [probe(1), probe(9, 700)],
    events: [NEW_DATA, NOTHING],
  },
  {
    name: "unknown when the next attempt finds tlp_high_seq 0",
    records: [probe(1), attempt(9), outcome(10)],
    events: [UNKNOWN, FAST],
  },
  {
    name: "new_data when a retransmit's outcome comes without its attempt, tlp_high_seq set",
    records: [probe(1), outcome(10, 700)],
    events: [NEW_DATA, FAST],
    orphans: 1,
  },
  {
    name: "unknown when a retransmit's outcome comes without its attempt, tlp_high_seq 0",
    records: [probe(1), outcome(10)],
    events: [UNKNOWN, FAST],
    orphans: 1,
  },
  {
    name: "sent by an outcome of its own that follows another attempt: that one failed",
    records: [attempt(1), sent(9)],
    events: [["retransmit", "fast", "failed", 0], SENT],
    orphans: 1,
  },
];

for (const { name, records, events: expected, orphans = 0 } of ROWS) {
  test(`Pairer gives a loss probe as ${name}`, () => {
    const { pairer, events, push } = keepingPairer();
    push(...records);
    const seen = events.map(({ kind, cause, outcome, segments }) => [kind, cause, outcome, segments]);
    assert.deepEqual(seen, expected);
    assert.equal(pairer.counts.orphanOutcomes, orphans);
    pairer.settle(traceNanos(Number.MAX_SAFE_INTEGER));
    assert.equal(events.length, expected.length, "nothing waits any more");
  });
}

test("Pairer.settle() gives a loss probe without any proof as unknown", () => {
  const { pairer, events, push } = keepingPairer();
  push(probe(1));
  pairer.settle(traceNanos(1e9));
  assert.equal(events.length, 0);
  pairer.settle(traceNanos(1e9 + 1));
  assert.deepEqual(
    events.map(({ outcome, segments }) => [outcome, segments]),
    [["unknown", undefined]],
  );
});

test("Pairer gives a loss probe whose retransmit failed as nothing, with its error (since 6.17)", () => {
  const { events, push } = keepingPairer();
  push(probe(1), sent(2, { error: -16 }));
  assert.deepEqual(
    events.map(({ kind, outcome, error, segments }) => [kind, outcome, error, segments]),
    [["loss_probe", "nothing", -16, 0]],
  );
});

test("Pairer counts a loss probe as one segment where only the plain tracepoint tells (before 5.15)", () => {
  const { events, push } = keepingPairer();
  const plain = { pending: undefined, caState: undefined, netns: undefined };
  push(probe(1), probeRecord("outcome", { time: 2, socket: plain }));
  assert.deepEqual(
    events.map(({ kind, outcome, segments }) => [kind, outcome, segments]),
    [["loss_probe", "sent", 1]],
  );
});

test("Pairer does not take the return of a loss probe for that of an attempt", () => {
  const { pairer, events, push } = keepingPairer();
  push(probeRecord("attempt", { time: 1, socket: LOSS }), returned(2, 0));
  assert.equal(events.length, 0);
  pairer.settle(traceNanos(Number.MAX_SAFE_INTEGER));
  assert.deepEqual(
    events.map(({ kind, outcome }) => [kind, outcome]),
    [["retransmit", "failed"]],
  );
});

test("Pairer leaves a loss probe open when its return does not tell tlp_high_seq", () => {
  const { events, push } = keepingPairer();
  push(probe(1), probeRecord("loss_probe_return", { time: 2, tlpHighSeq: undefined, socket: null }));
  assert.equal(events.length, 0);
});
