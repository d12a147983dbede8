import assert from "node:assert/strict";
import { test } from "node:test";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { keepingPairer, probeRecord, stackOf } from "../support/probe-records.ts";

const SECOND = 1e9;
const RECOVERY = { caState: 3, pending: 1 };
const LOSS = { caState: 4, pending: 0 };
/** What a plain tracepoint tells: ends and state, and nothing of the socket's inside. */
const PLAIN = {
  netns: undefined,
  cgroupId: undefined,
  caState: undefined,
  pending: undefined,
  mss: undefined,
  rto: undefined,
};

test("Pairer makes one sent event of an attempt and its outcome", () => {
  const { pairer, events, push } = keepingPairer();
  push(
    probeRecord("attempt", { time: 100, socket: { ...RECOVERY, totalRetrans: 4 }, segsLimit: 9 }),
    probeRecord("outcome", {
      time: 140,
      cpu: 1,
      pid: 7,
      socket: { ...RECOVERY, totalRetrans: 7 },
      gsoSegs: 3,
    }),
  );
  assert.equal(events.length, 1);
  const { socket, ...event } = events[0]!;
  assert.deepEqual(event, {
    kind: "retransmit",
    time: 140,
    cpu: 1,
    pid: 7,
    rung: "kprobe",
    cause: "fast",
    outcome: "sent",
    error: 0,
    segments: 3,
    stack: undefined,
  });
  assert.equal(socket.totalRetrans, 7);
  assert.deepEqual(pairer.counts, { orphanOutcomes: 0, unansweredAttempts: 0, cutOffAttempts: 0 });
});

test("Pairer pairs A B B A on one CPU by socket", () => {
  const { pairer, events, push } = keepingPairer();
  push(
    probeRecord("attempt", { time: 1, key: 1, socket: LOSS }),
    probeRecord("attempt", { time: 2, key: 2, socket: RECOVERY }),
    probeRecord("outcome", { time: 3, key: 2, socket: RECOVERY, gsoSegs: 2 }),
    probeRecord("outcome", { time: 4, key: 1, socket: LOSS, gsoSegs: 1 }),
  );
  assert.deepEqual(
    events.map(({ socket, cause, outcome, segments }) => [socket.key, cause, outcome, segments]),
    [
      [2, "fast", "sent", 2],
      [1, "timeout", "sent", 1],
    ],
  );
  assert.deepEqual(pairer.counts, { orphanOutcomes: 0, unansweredAttempts: 0, cutOffAttempts: 0 });
});

test("Pairer pairs an attempt and an outcome on different CPUs", () => {
  const { pairer, events, push } = keepingPairer();
  push(
    probeRecord("attempt", { time: 1, cpu: 0, pid: 12, socket: RECOVERY }),
    probeRecord("outcome", { time: 2, cpu: 3, pid: 12, socket: RECOVERY, gsoSegs: 1 }),
  );
  assert.deepEqual(
    events.map(({ cpu, outcome }) => [cpu, outcome]),
    [[3, "sent"]],
  );
  assert.equal(pairer.counts.orphanOutcomes, 0);
});

test("Pairer takes an outcome without an attempt for a whole event, and counts it", () => {
  const { pairer, events, push } = keepingPairer();
  push(probeRecord("outcome", { time: 5, socket: RECOVERY, gsoSegs: 2 }));
  assert.deepEqual(
    events.map(({ cause, outcome, segments }) => [cause, outcome, segments]),
    [["fast", "sent", 2]],
  );
  assert.deepEqual(pairer.counts, { orphanOutcomes: 1, unansweredAttempts: 0, cutOffAttempts: 0 });
});

test("Pairer says that an attempt failed when the socket's next attempt comes", () => {
  const { pairer, events, push } = keepingPairer();
  push(
    probeRecord("attempt", { time: 10, socket: LOSS }),
    probeRecord("attempt", { time: 20, key: 2, socket: LOSS }),
  );
  assert.equal(events.length, 0, "another socket's attempt says nothing");
  push(
    probeRecord("attempt", { time: 30, socket: LOSS }),
    probeRecord("outcome", { time: 31, socket: LOSS, gsoSegs: 1 }),
  );
  assert.deepEqual(
    events.map(({ time, cause, outcome, error, segments }) => [time, cause, outcome, error, segments]),
    [
      [10, "timeout", "failed", undefined, 0],
      [31, "timeout", "sent", 0, 1],
    ],
  );
  assert.equal(pairer.counts.unansweredAttempts, 1);
});

test("Pairer.settle() says that an attempt failed after a second without an outcome", () => {
  const { pairer, events, push } = keepingPairer();
  push(
    probeRecord("attempt", { time: 1, key: 1, socket: LOSS }),
    probeRecord("attempt", { time: 2, key: 2, socket: LOSS }),
  );
  pairer.settle(traceNanos(SECOND));
  assert.equal(events.length, 0);
  pairer.settle(traceNanos(SECOND + 1));
  assert.deepEqual(
    events.map(({ socket, outcome }) => [socket.key, outcome]),
    [[1, "failed"]],
  );
  pairer.settle(traceNanos(Number.MAX_SAFE_INTEGER));
  assert.deepEqual(
    events.map(({ socket, outcome }) => [socket.key, outcome]),
    [
      [1, "failed"],
      [2, "failed"],
    ],
  );
  pairer.settle(traceNanos(Number.MAX_SAFE_INTEGER));
  assert.equal(events.length, 2);
});

test("Pairer.end() counts attempts whose outcome may come after the end, and makes no events of them", () => {
  const { pairer, events, push } = keepingPairer();
  push(
    probeRecord("attempt", { time: 1, key: 1, socket: LOSS }),
    probeRecord("attempt", { time: SECOND, key: 2, socket: LOSS }),
    probeRecord("loss_probe", { time: SECOND, key: 3 }),
  );
  pairer.settle(traceNanos(SECOND + 1));
  pairer.end();
  assert.deepEqual(
    events.map(({ socket }) => socket.key),
    [1],
  );
  assert.deepEqual(pairer.counts, { orphanOutcomes: 0, unansweredAttempts: 1, cutOffAttempts: 2 });
  pairer.end();
  assert.equal(pairer.counts.cutOffAttempts, 2);
});

test("Pairer.gap() keeps an attempt of the gap from being shown as failed, whatever ends its wait", () => {
  const { pairer, events, push } = keepingPairer();
  const attempt = (time: number, key: number) => push(probeRecord("attempt", { time, key, socket: LOSS }));
  for (const key of [1, 2, 3]) attempt(100, key);
  push(probeRecord("loss_probe", { time: 101, key: 4 }));
  pairer.gap({ from: traceNanos(100), until: traceNanos(200) });
  attempt(150, 1); // its own socket's next attempt
  pairer.settle(traceNanos(2 * SECOND)); // the time is up
  assert.deepEqual([events.length, pairer.counts.cutOffAttempts], [0, 5]);
  attempt(199, 1);
  attempt(201, 2); // the first record after the gap
  push(probeRecord("outcome", { time: 202, key: 2, socket: LOSS, gsoSegs: 1 }));
  assert.deepEqual([events.length, pairer.counts.cutOffAttempts], [1, 6]);
  assert.equal(events[0]?.outcome, "sent");
});

test("Pairer.gap() leaves what was open before it and what comes after it as they are", () => {
  const { pairer, events, push } = keepingPairer();
  push(probeRecord("attempt", { time: 99, key: 1, socket: LOSS }));
  pairer.gap({ from: traceNanos(100), until: traceNanos(200) });
  push(
    probeRecord("attempt", { time: 201, key: 2, socket: LOSS }),
    probeRecord("attempt", { time: 202, key: 1, socket: LOSS }),
    probeRecord("attempt", { time: 203, key: 2, socket: LOSS }),
  );
  assert.deepEqual(
    events.map(({ time, outcome }) => [time, outcome]),
    [
      [99, "failed"],
      [201, "failed"],
    ],
  );
});

test("Pairer.gap() forgets functions whose return may be missing", () => {
  const { pairer, events, push } = keepingPairer();
  push(probeRecord("mtu_enter", { time: 1, pid: 5, socket: null }));
  pairer.gap({ from: traceNanos(0), until: traceNanos(10) });
  push(
    probeRecord("attempt", { time: 11, pid: 5, socket: LOSS }),
    probeRecord("outcome", { time: 12, pid: 5, socket: LOSS, gsoSegs: 1 }),
  );
  assert.equal(events[0]?.cause, "timeout");
});

test("Pairer.settledUntil() ends before the oldest attempt that waits", () => {
  const { pairer, push } = keepingPairer();
  assert.equal(pairer.settledUntil(traceNanos(50)), 50);
  push(probeRecord("attempt", { time: 20, socket: LOSS }));
  assert.equal(pairer.settledUntil(traceNanos(50)), 19);
  push(probeRecord("outcome", { time: 21, socket: LOSS }));
  assert.equal(pairer.settledUntil(traceNanos(50)), 50);
});

/** `err` of tcp:tcp_retransmit_skb (since 6.17); +1 is NET_XMIT_DROP, which is no errno. */
for (const error of [-16, -11, -113, -1, 1]) {
  test(`Pairer gives an outcome with err ${error} as failed, with no segment`, () => {
    const { events, push } = keepingPairer();
    push(
      probeRecord("attempt", { time: 1, socket: LOSS }),
      probeRecord("outcome", { time: 2, socket: LOSS, gsoSegs: 4, error }),
    );
    assert.deepEqual(
      events.map(({ kind, cause, outcome, error, segments }) => [kind, cause, outcome, error, segments]),
      [["retransmit", "timeout", "failed", error, 0]],
    );
  });
}

test("Pairer gives an outcome with err 0 as sent", () => {
  const { events, push } = keepingPairer();
  push(probeRecord("outcome", { time: 2, socket: LOSS, gsoSegs: 4, error: 0 }));
  assert.deepEqual(
    events.map(({ outcome, error, segments }) => [outcome, error, segments]),
    [["sent", 0, 4]],
  );
});

test("Pairer names a plain tracepoint's outcome by its attempt (before 5.15)", () => {
  const { events, push } = keepingPairer();
  push(
    probeRecord("attempt", { time: 1, socket: { ...RECOVERY, mss: 1000 }, segsLimit: 10, skbLen: 2500 }),
    probeRecord("outcome", { time: 2, socket: PLAIN }),
  );
  const [event] = events;
  assert.equal(event?.cause, "fast");
  assert.equal(event?.outcome, "sent");
  assert.equal(event?.segments, 3);
  assert.equal(event?.socket.netns, 4_026_531_840, "the attempt's fields");
});

test("Pairer cannot name a plain tracepoint's outcome without its attempt, nor count its segments", () => {
  const { events, push } = keepingPairer();
  push(probeRecord("outcome", { time: 2, socket: PLAIN }));
  assert.deepEqual(
    events.map(({ cause, outcome, segments }) => [cause, outcome, segments]),
    [["other", "sent", undefined]],
  );
});

/** min(segs, ceil(len / mss_cache)) equalled the counters on 5.10: 12, 429 and 616 segments. */
const SEGMENTS = [
  { name: "one byte", skbLen: 1, mss: 1448, segsLimit: 10, segments: 1 },
  { name: "a whole segment", skbLen: 1448, mss: 1448, segsLimit: 10, segments: 1 },
  { name: "a byte more", skbLen: 1449, mss: 1448, segsLimit: 10, segments: 2 },
  {
    name: "12 segments of a smaller MTU in an skb that was cut for 11",
    skbLen: 16_000,
    mss: 1348,
    segsLimit: 64,
    segments: 12,
  },
  { name: "no more than the caller allowed", skbLen: 14_480, mss: 1448, segsLimit: 1, segments: 1 },
  { name: "a bare SYN or FIN", skbLen: 0, mss: 536, segsLimit: 1, segments: 1 },
];

for (const { name, segments, mss, ...attempt } of SEGMENTS) {
  test(`Pairer counts the segments of a plain tracepoint's outcome: ${name} is ${segments}`, () => {
    const { events, push } = keepingPairer();
    push(
      probeRecord("attempt", { ...attempt, socket: { ...RECOVERY, mss } }),
      probeRecord("outcome", { time: 2, socket: PLAIN }),
    );
    assert.equal(events[0]?.segments, segments);
  });
}

test("Pairer does not know the segments when the attempt lacks the length", () => {
  const { events, push } = keepingPairer();
  push(
    probeRecord("attempt", { segsLimit: 2, socket: RECOVERY }),
    probeRecord("outcome", { time: 2, socket: PLAIN }),
  );
  assert.equal(events[0]?.segments, undefined);
});

test("Pairer gives a SYN-ACK its namespace from the kprobe (before 5.15)", () => {
  const { pairer, events, push } = keepingPairer();
  push(
    probeRecord("syn_ack_attempt", { time: 1, key: 9, socket: { state: 12, netns: 42, cgroupId: 8n } }),
    probeRecord("syn_ack", { time: 2, key: 9, socket: { ...PLAIN, state: 12 } }),
  );
  const [event] = events;
  assert.equal(events.length, 1);
  assert.deepEqual(
    [event?.kind, event?.cause, event?.outcome, event?.segments, event?.error],
    ["retransmit", "syn_ack", "sent", 1, 0],
  );
  assert.deepEqual([event?.socket.netns, event?.socket.cgroupId, event?.socket.state], [42, 8n, 12]);
  assert.equal(pairer.counts.unansweredAttempts, 0);
});

test("Pairer gives a SYN-ACK from the tracepoint or eprobe alone", () => {
  const { events, push } = keepingPairer();
  push(probeRecord("syn_ack", { time: 2, key: 9, socket: { state: 12, netns: 42 } }));
  assert.deepEqual(
    events.map(({ cause, outcome, segments, socket }) => [cause, outcome, segments, socket.netns]),
    [["syn_ack", "sent", 1, 42]],
  );
});

test("Pairer gives a SYN-ACK attempt without an outcome as failed", () => {
  const { pairer, events, push } = keepingPairer();
  push(probeRecord("syn_ack_attempt", { time: 1, key: 9, socket: { state: 12 } }));
  pairer.settle(traceNanos(Number.MAX_SAFE_INTEGER));
  assert.deepEqual(
    events.map(({ cause, outcome, segments }) => [cause, outcome, segments]),
    [["syn_ack", "failed", 0]],
  );
});

test("Pairer tells SYN-ACK timers apart from retransmits", () => {
  const timers: unknown[] = [];
  const { events, push } = keepingPairer({ synAckTimer: (timer) => timers.push(timer) });
  push(
    probeRecord("syn_ack_timer", { time: 3, key: 9, socket: { netns: 42 } }),
    probeRecord("syn_ack_timer", { time: 4, key: 9, socket: { netns: undefined } }),
  );
  assert.deepEqual(timers, [
    { kind: "syn_ack_timer", time: 3, netns: 42 },
    { kind: "syn_ack_timer", time: 4, netns: undefined },
  ]);
  assert.equal(events.length, 0);
});

const SCOPED = [
  {
    enter: "reordering_enter",
    leave: "reordering_return",
    socket: { caState: 3, pending: 6 },
    cause: "reordering",
  },
  { enter: "mtu_enter", leave: "mtu_return", socket: { caState: 4, pending: 1 }, cause: "mtu" },
] as const;
const UNSCOPED = { reordering: "fast", mtu: "slow_start" };

for (const { enter, leave, socket, cause } of SCOPED) {
  test(`Pairer names ${cause} between ${enter} and ${leave} of the socket, and ${UNSCOPED[cause]} elsewhere`, () => {
    const { events, push } = keepingPairer();
    const both = (time: number, key: number, pid = 5) =>
      push(
        probeRecord("attempt", { time, key, pid, socket }),
        probeRecord("outcome", { time: time + 1, key, pid, socket, gsoSegs: 1 }),
      );
    both(1, 1);
    push(probeRecord(enter, { time: 10, key: 1, pid: 5, socket: null }));
    both(11, 1);
    both(13, 1, 6);
    both(15, 2);
    push(probeRecord(leave, { time: 20, key: 0, pid: 5, socket: null }));
    both(21, 1);
    const other = UNSCOPED[cause];
    assert.deepEqual(
      events.map((event) => event.cause),
      [other, cause, other, other, other],
    );
  });

  test(`Pairer names ${cause} of a plain tracepoint's outcome and of a failed attempt by the attempt's scope`, () => {
    const { pairer, events, push } = keepingPairer();
    push(
      probeRecord(enter, { time: 1, pid: 5, socket: null }),
      probeRecord("attempt", { time: 2, pid: 5, socket }),
      probeRecord("outcome", { time: 3, pid: 5, socket: PLAIN }),
      probeRecord("attempt", { time: 4, pid: 5, socket }),
      probeRecord(leave, { time: 5, key: 0, pid: 5, socket: null }),
    );
    pairer.settle(traceNanos(Number.MAX_SAFE_INTEGER));
    assert.deepEqual(
      events.map((event) => [event.cause, event.outcome]),
      [
        [cause, "sent"],
        [cause, "failed"],
      ],
    );
  });
}

test("Pairer names reordering by the stack where no kprobe tells it (eprobe rung)", () => {
  const { events, push } = keepingPairer({ rung: "eprobe" });
  const socket = { caState: 3, pending: 6 };
  push(
    probeRecord("outcome", {
      time: 1,
      socket,
      stack: stackOf("tcp_xmit_retransmit_queue", "tcp_rack_reo_timeout"),
    }),
    probeRecord("outcome", { time: 2, socket, stack: stackOf("tcp_xmit_retransmit_queue", "tcp_ack") }),
  );
  assert.deepEqual(
    events.map((event) => event.cause),
    ["reordering", "fast"],
  );
});

test("Pairer shows the attempt's stack, else the outcome's", () => {
  const { events, push } = keepingPairer();
  const [attempt, outcome] = [stackOf("tcp_retransmit_skb"), stackOf("__tcp_retransmit_skb")];
  push(
    probeRecord("attempt", { time: 1, socket: LOSS, stack: attempt }),
    probeRecord("outcome", { time: 2, socket: LOSS, stack: outcome }),
    probeRecord("attempt", { time: 3, socket: LOSS }),
    probeRecord("outcome", { time: 4, socket: LOSS, stack: outcome }),
  );
  assert.deepEqual(
    events.map((event) => event.stack),
    [attempt, outcome],
  );
});

test("Pairer names tracepoint events by stack and last congestion state", () => {
  const { pairer, events, push } = keepingPairer({ rung: "tracepoint" });
  const stack = stackOf("tcp_retransmit_skb", "tcp_xmit_retransmit_queue", "tcp_ack");
  push(
    probeRecord("outcome", { time: 1, socket: PLAIN, stack }),
    probeRecord("ca_state", { time: 2, socket: null, congState: 3 }),
    probeRecord("outcome", { time: 3, socket: PLAIN, stack }),
    probeRecord("outcome", { time: 4, key: 2, socket: PLAIN, stack }),
    probeRecord("ca_state", { time: 5, socket: null, congState: 4 }),
    probeRecord("outcome", { time: 6, socket: PLAIN, stack }),
    probeRecord("outcome", {
      time: 7,
      socket: PLAIN,
      stack: stackOf("__tcp_retransmit_skb", "tcp_send_loss_probe"),
    }),
    probeRecord("outcome", { time: 8, socket: PLAIN }),
  );
  assert.deepEqual(
    events.map(({ kind, cause, segments }) => [kind, cause, segments]),
    [
      ["retransmit", "other", undefined],
      ["retransmit", "fast", undefined],
      ["retransmit", "other", undefined],
      ["retransmit", "slow_start", undefined],
      ["loss_probe", "tail_loss_probe", undefined],
      ["retransmit", "other", undefined],
    ],
  );
  assert.equal(pairer.counts.unansweredAttempts, 0);
});

test("Pairer forgets the congestion state of the socket that told it longest ago, beyond 65536 of them", () => {
  const { events, push } = keepingPairer({ rung: "tracepoint" });
  const stack = stackOf("tcp_retransmit_skb", "tcp_xmit_retransmit_queue", "tcp_ack");
  push(probeRecord("ca_state", { key: 1, socket: null, congState: 3 }));
  for (let key = 2; key <= 65_537; key++) push(probeRecord("ca_state", { key, socket: null, congState: 3 }));
  push(
    probeRecord("outcome", { key: 1, socket: PLAIN, stack }),
    probeRecord("outcome", { key: 2, socket: PLAIN, stack }),
  );
  assert.deepEqual(
    events.map((event) => event.cause),
    ["other", "fast"],
  );
});
