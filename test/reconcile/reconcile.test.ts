import assert from "node:assert/strict";
import { test } from "node:test";
import { counterWindow } from "../../src/reconcile/counter-window.ts";
import { type CounterName, type CounterWindow, IDENTITIES } from "../../src/reconcile/identities.ts";
import { type Losses, NO_LOSSES } from "../../src/reconcile/losses.ts";
import { type Reconciliation, type Row, reconcile } from "../../src/reconcile/reconcile.ts";
import { type Sight, sightOf } from "../../src/reconcile/sight.ts";
import { type Observation, tallyOf } from "../../src/reconcile/tally.ts";
import { counters, event, events, KPROBE } from "./observations.ts";

interface Scene {
  readonly seen: readonly Observation[];
  readonly maybe?: readonly Observation[];
  readonly kernel: Partial<Record<CounterName, number>>;
  /** Counters at the start of the window; the kernel's numbers come on top. */
  readonly before?: Partial<Record<CounterName, number>>;
  readonly sight?: Partial<Sight>;
  readonly losses?: Partial<Losses>;
  readonly gone?: number;
  readonly unattributed?: readonly Observation[];
}

function windowOf({ kernel, before = {} }: Scene): CounterWindow {
  const end = { ...before };
  for (const [name, value] of Object.entries(kernel)) {
    end[name as CounterName] = (end[name as CounterName] ?? 0) + value;
  }
  const window = counterWindow(counters(before), counters(end));
  assert.ok(!("missing" in window));
  return window;
}

function compare(scene: Scene): Reconciliation {
  const { seen, maybe = [], gone = 0, unattributed = [] } = scene;
  const window = { netns: 1, certain: tallyOf(seen), maybe: tallyOf(maybe), kernel: windowOf(scene), gone };
  return reconcile([window], {
    sight: { ...KPROBE, ...scene.sight },
    losses: { ...NO_LOSSES, ...scene.losses },
    unattributed: tallyOf(unattributed),
  });
}

function row(scene: Scene, counter: CounterName): Row {
  const found = compare(scene).rows.find(({ identity }) => identity.counter === counter);
  assert.ok(found);
  return found;
}

function verdict(scene: Scene, counter: CounterName): string {
  const { verdict, unexplained } = row(scene, counter);
  return unexplained ? `${verdict}, unexplained` : verdict;
}

interface Case {
  readonly name: string;
  readonly counter: CounterName;
  readonly scene: Scene;
  readonly expected: string;
}

const synAckTimers = (count: number): readonly Observation[] =>
  Array.from({ length: count }, () => ({ ...event("syn"), kind: "syn_ack_timer", netns: 1 }) as Observation);

/** Numbers measured in virtual machines with netem and nftables on the kernels named. */
const measured: readonly Case[] = [
  {
    name: "3 % loss on 6.12: 3657 segments and a SYN-ACK are 3658",
    counter: "RetransSegs",
    scene: {
      seen: [event("fast", { segments: 3000 }), event("slow_start", { segments: 657 }), event("syn_ack")],
      kernel: { RetransSegs: 3658 },
    },
    expected: "reconciles",
  },
  {
    name: "output dropped by nftables: 2 sent and 3 in TCPRetransFail are 5",
    counter: "RetransSegs",
    scene: {
      seen: [...events(2, "timeout"), ...events(3, "timeout", { outcome: "failed", error: -1 })],
      kernel: { RetransSegs: 5, TCPRetransFail: 3 },
    },
    expected: "reconciles",
  },
  {
    name: "pfifo limit 0: 15 sent and 8 in TCPRetransFail are 23",
    counter: "RetransSegs",
    scene: {
      seen: [...events(15, "fast"), ...events(8, "timeout", { outcome: "failed", error: 1 })],
      kernel: { RetransSegs: 23, TCPRetransFail: 8 },
    },
    expected: "reconciles",
  },
  {
    name: "EBUSY and EAGAIN, in neither counter",
    counter: "RetransSegs",
    scene: {
      seen: [
        event("fast"),
        event("fast", { outcome: "failed", error: -16 }),
        event("fast", { outcome: "failed", error: -11 }),
      ],
      kernel: { RetransSegs: 1 },
    },
    expected: "reconciles",
  },
  {
    name: "a zero-window retransmit, in RetransSegs",
    counter: "RetransSegs",
    scene: { seen: events(2, "window_probe"), kernel: { RetransSegs: 2 } },
    expected: "reconciles",
  },
  {
    name: "a zero-window retransmit, not in TCPTimeouts",
    counter: "TCPTimeouts",
    scene: { seen: events(2, "window_probe"), kernel: {} },
    expected: "reconciles",
  },
  {
    name: "6.12: 265 by the reordering timer and 556 fast are 821",
    counter: "TCPFastRetrans",
    scene: {
      seen: [event("reordering", { segments: 265 }), event("fast", { segments: 556 })],
      kernel: { TCPFastRetrans: 821 },
    },
    expected: "reconciles",
  },
  {
    name: "path MTU reduction: 12",
    counter: "TCPSlowStartRetrans",
    scene: {
      seen: [event("mtu", { segments: 9 }), event("slow_start", { segments: 3 })],
      kernel: { TCPSlowStartRetrans: 12 },
    },
    expected: "reconciles",
  },
  {
    name: "one SYN and one SYN-ACK",
    counter: "TCPSynRetrans",
    scene: { seen: [event("syn"), event("syn_ack")], kernel: { TCPSynRetrans: 2 } },
    expected: "reconciles",
  },
  {
    name: "54 calls of tcp_send_loss_probe on 6.12: 49 retransmitted, 5 did nothing",
    counter: "TCPLossProbes",
    scene: {
      seen: [...events(49, "tail_loss_probe"), ...events(5, "tail_loss_probe", { outcome: "nothing" })],
      kernel: { TCPLossProbes: 49 },
    },
    expected: "reconciles",
  },
  {
    name: "56 calls on 7.2: 54 retransmitted, 2 of unknown outcome sent new data by the counter",
    counter: "TCPLossProbes",
    scene: {
      seen: [...events(54, "tail_loss_probe"), ...events(2, "tail_loss_probe", { outcome: "unknown" })],
      kernel: { TCPLossProbes: 56 },
    },
    expected: "reconciles",
  },
  {
    name: "qdisc drop: 5 sent and 8 failed timeouts are 13",
    counter: "TCPTimeouts",
    scene: {
      seen: [...events(5, "timeout"), ...events(8, "timeout", { outcome: "failed" })],
      kernel: { TCPTimeouts: 13 },
    },
    expected: "reconciles",
  },
  {
    name: "SYN: 5 retransmits and the last expiry are 6",
    counter: "TCPTimeouts",
    scene: { seen: events(5, "syn"), kernel: { TCPTimeouts: 6, TCPAbortOnTimeout: 1, TCPSynRetrans: 5 } },
    expected: "reconciles",
  },
  {
    name: "SYN-ACK: 2 retransmits and 3 timers",
    counter: "TCPTimeouts",
    scene: {
      seen: [...events(2, "syn_ack"), ...synAckTimers(3)],
      kernel: { TCPTimeouts: 3, TCPSynRetrans: 2 },
      sight: { synAckTimers: true },
    },
    expected: "reconciles",
  },
  {
    name: "EPERM: 5 failed attempts and the last expiry are 6",
    counter: "TCPTimeouts",
    scene: {
      seen: events(5, "timeout", { outcome: "failed", error: -1 }),
      kernel: { TCPTimeouts: 6, TCPAbortOnTimeout: 1 },
    },
    expected: "reconciles",
  },
];

/** For each identity something that must not pass. */
const wrong: readonly Case[] = [
  {
    name: "one segment that nobody saw",
    counter: "RetransSegs",
    scene: { seen: events(3, "fast"), kernel: { RetransSegs: 4 } },
    expected: "differs, unexplained",
  },
  {
    name: "one segment more than the kernel counted",
    counter: "RetransSegs",
    scene: { seen: events(3, "fast"), kernel: { RetransSegs: 2 } },
    expected: "differs, unexplained",
  },
  {
    name: "a failure in the counter but not in RetransSegs",
    counter: "RetransSegs",
    scene: { seen: events(3, "fast"), kernel: { RetransSegs: 3, TCPRetransFail: 1 } },
    expected: "differs, unexplained",
  },
  {
    name: "events counted instead of segments",
    counter: "TCPFastRetrans",
    scene: { seen: events(3, "fast", { segments: 1 }), kernel: { TCPFastRetrans: 21 } },
    expected: "differs, unexplained",
  },
  {
    name: "slow start labelled as fast",
    counter: "TCPSlowStartRetrans",
    scene: { seen: events(3, "fast"), kernel: { TCPSlowStartRetrans: 3 } },
    expected: "differs, unexplained",
  },
  {
    name: "a SYN that nobody saw",
    counter: "TCPSynRetrans",
    scene: { seen: events(1, "syn"), kernel: { TCPSynRetrans: 2 } },
    expected: "differs, unexplained",
  },
  {
    name: "a SYN that failed before the counting",
    counter: "TCPSynRetrans",
    scene: {
      seen: events(1, "syn", { outcome: "failed", error: -113 }),
      kernel: { TCPSynRetrans: 1, TCPRetransFail: 1 },
    },
    expected: "differs, unexplained",
  },
  {
    name: "more new data by the counter than there were probes",
    counter: "TCPLossProbes",
    scene: {
      seen: [...events(54, "tail_loss_probe"), ...events(2, "tail_loss_probe", { outcome: "unknown" })],
      kernel: { TCPLossProbes: 57 },
    },
    expected: "differs, unexplained",
  },
  {
    name: "probes that did nothing counted as probes",
    counter: "TCPLossProbes",
    scene: { seen: events(2, "tail_loss_probe", { outcome: "nothing" }), kernel: { TCPLossProbes: 2 } },
    expected: "differs, unexplained",
  },
  {
    name: "a failed probe counted as a probe",
    counter: "TCPLossProbes",
    scene: {
      seen: events(1, "tail_loss_probe", { outcome: "failed" }),
      kernel: { TCPLossProbes: 1 },
    },
    expected: "differs, unexplained",
  },
  {
    name: "a timeout that nobody saw",
    counter: "TCPTimeouts",
    scene: { seen: events(1, "timeout"), kernel: { TCPTimeouts: 2 } },
    expected: "differs, unexplained",
  },
  {
    name: "a final expiry that is no timeout, where nothing else can have aborted",
    counter: "TCPTimeouts",
    scene: { seen: events(1, "timeout"), kernel: { TCPTimeouts: 1, TCPAbortOnTimeout: 1 } },
    expected: "differs, unexplained",
  },
];

/** Each rule that is an exception to plain equality. */
const rules: readonly Case[] = [
  {
    name: "an abort that may be keepalive's, below",
    counter: "TCPTimeouts",
    scene: {
      seen: events(1, "timeout"),
      kernel: { TCPTimeouts: 1, TCPAbortOnTimeout: 1 },
      before: { TCPKeepAlive: 9 },
    },
    expected: "reconciles",
  },
  {
    name: "an abort that may be a zero-window probe's, above",
    counter: "TCPTimeouts",
    scene: {
      seen: events(1, "timeout"),
      kernel: { TCPTimeouts: 2, TCPAbortOnTimeout: 1, TCPWinProbe: 3 },
    },
    expected: "reconciles",
  },
  {
    name: "more expiries than seen and aborted together",
    counter: "TCPTimeouts",
    scene: {
      seen: events(1, "timeout"),
      kernel: { TCPTimeouts: 3, TCPAbortOnTimeout: 1, TCPWinProbe: 3 },
    },
    expected: "differs, unexplained",
  },
  {
    name: "an expiry that ended for want of memory",
    counter: "TCPTimeouts",
    scene: { seen: events(1, "timeout"), kernel: { TCPTimeouts: 2, TCPAbortOnMemory: 1 } },
    expected: "reconciles",
  },
  {
    name: "SYN-ACK timers that no probe saw",
    counter: "TCPTimeouts",
    scene: { seen: events(2, "syn_ack"), kernel: { TCPTimeouts: 3, TCPSynRetrans: 2 } },
    expected: "unverifiable",
  },
  {
    name: "the SYN-ACK timer that sends nothing, after an earlier SYN-ACK",
    counter: "TCPTimeouts",
    scene: { seen: [], kernel: { TCPTimeouts: 1 }, before: { TCPSynRetrans: 5 } },
    expected: "unverifiable",
  },
  {
    name: "fewer timeouts than were seen, SYN-ACKs or not",
    counter: "TCPTimeouts",
    scene: { seen: [event("syn_ack"), ...events(2, "timeout")], kernel: { TCPTimeouts: 1 } },
    expected: "differs, unexplained",
  },
  {
    name: "a failed SYN whose errno shows that it was counted",
    counter: "TCPSynRetrans",
    scene: {
      seen: events(1, "syn", { outcome: "failed", error: -1 }),
      kernel: { TCPSynRetrans: 1, TCPRetransFail: 1 },
    },
    expected: "reconciles",
  },
  {
    name: "a failed SYN without errno, in TCPRetransFail",
    counter: "TCPSynRetrans",
    scene: {
      seen: events(1, "syn", { outcome: "failed" }),
      kernel: { TCPSynRetrans: 1, TCPRetransFail: 1 },
    },
    expected: "reconciles",
  },
  {
    name: "a failed SYN without errno, in neither",
    counter: "TCPSynRetrans",
    scene: { seen: events(1, "syn", { outcome: "failed" }), kernel: {} },
    expected: "reconciles",
  },
  {
    name: "a failed SYN without errno that TCPRetransFail does not have",
    counter: "TCPSynRetrans",
    scene: { seen: events(1, "syn", { outcome: "failed" }), kernel: { TCPSynRetrans: 1 } },
    expected: "differs, unexplained",
  },
  {
    name: "known new data",
    counter: "TCPLossProbes",
    scene: {
      seen: events(2, "tail_loss_probe", { outcome: "new_data" }),
      kernel: { TCPLossProbes: 2 },
    },
    expected: "reconciles",
  },
  {
    name: "events whose cause is not known, in either queue counter",
    counter: "TCPFastRetrans",
    scene: { seen: [event("fast"), event("other", { segments: 4 })], kernel: { TCPFastRetrans: 5 } },
    expected: "reconciles",
  },
];

/** What each rung can check. */
const rungs: readonly Case[] = [
  {
    name: "eprobe before 6.17: failed attempts are not seen",
    counter: "TCPTimeouts",
    scene: {
      seen: events(5, "timeout"),
      kernel: { TCPTimeouts: 13 },
      sight: sightOf("eprobe", { tellsErrors: false }),
    },
    expected: "unverifiable",
  },
  {
    name: "eprobe before 6.17 where none failed",
    counter: "TCPTimeouts",
    scene: {
      seen: events(5, "timeout"),
      kernel: { TCPTimeouts: 5 },
      sight: sightOf("eprobe", { tellsErrors: false }),
    },
    expected: "reconciles",
  },
  {
    name: "eprobe since 6.17",
    counter: "TCPTimeouts",
    scene: {
      seen: events(5, "timeout"),
      kernel: { TCPTimeouts: 13 },
      sight: sightOf("eprobe", { tellsErrors: true }),
    },
    expected: "differs, unexplained",
  },
  {
    name: "eprobe before 6.17: a failed SYN is in TCPRetransFail",
    counter: "TCPSynRetrans",
    scene: {
      seen: [],
      kernel: { TCPSynRetrans: 1, TCPRetransFail: 1 },
      sight: sightOf("eprobe", { tellsErrors: false }),
    },
    expected: "reconciles",
  },
  {
    name: "eprobe: probes with new data are not seen",
    counter: "TCPLossProbes",
    scene: {
      seen: events(5, "tail_loss_probe"),
      kernel: { TCPLossProbes: 6 },
      sight: sightOf("eprobe", { tellsErrors: true }),
    },
    expected: "unverifiable",
  },
  {
    name: "eprobe: more probes than counted",
    counter: "TCPLossProbes",
    scene: {
      seen: events(5, "tail_loss_probe"),
      kernel: { TCPLossProbes: 4 },
      sight: sightOf("eprobe", { tellsErrors: true }),
    },
    expected: "differs, unexplained",
  },
  {
    name: "tracepoint: segments not known, more than the events",
    counter: "RetransSegs",
    scene: {
      seen: events(5, "fast", { segments: undefined }),
      kernel: { RetransSegs: 7 },
      sight: sightOf("tracepoint", { tellsErrors: true }),
    },
    expected: "unverifiable",
  },
  {
    name: "tracepoint: as many segments as events, so that each was one and none is missing",
    counter: "RetransSegs",
    scene: {
      seen: events(5, "fast", { segments: undefined }),
      kernel: { RetransSegs: 5 },
      sight: sightOf("tracepoint", { tellsErrors: true }),
    },
    expected: "reconciles",
  },
  {
    name: "tracepoint: fewer segments than events, perhaps of a namespace that nothing holds any more",
    counter: "TCPFastRetrans",
    scene: {
      seen: events(5, "fast", { segments: undefined }),
      kernel: { TCPFastRetrans: 4 },
      sight: sightOf("tracepoint", { tellsErrors: true }),
    },
    expected: "unverifiable",
  },
  {
    name: "tracepoint told that each event is one segment",
    counter: "RetransSegs",
    scene: {
      seen: events(5, "fast", { segments: undefined }),
      kernel: { RetransSegs: 5 },
      sight: { ...sightOf("tracepoint", { tellsErrors: true }), oneSegmentEach: true },
    },
    expected: "reconciles",
  },
  {
    name: "tracepoint told so, one missing",
    counter: "RetransSegs",
    scene: {
      seen: events(5, "fast", { segments: undefined }),
      kernel: { RetransSegs: 6 },
      sight: { ...sightOf("tracepoint", { tellsErrors: true }), oneSegmentEach: true },
    },
    expected: "differs, unexplained",
  },
  {
    name: "tracepoint that saw nothing at all",
    counter: "RetransSegs",
    scene: { seen: [], kernel: { RetransSegs: 6 }, sight: sightOf("tracepoint", { tellsErrors: true }) },
    expected: "differs, unexplained",
  },
  {
    name: "tracepoint: SYNs, whose segments are always one",
    counter: "TCPSynRetrans",
    scene: {
      seen: events(5, "syn", { segments: undefined }),
      kernel: { TCPSynRetrans: 5 },
      sight: sightOf("tracepoint", { tellsErrors: true }),
    },
    expected: "reconciles",
  },
  {
    name: "a host-wide sum that lacks a namespace that is gone",
    counter: "RetransSegs",
    scene: { seen: events(5, "fast"), kernel: { RetransSegs: 4 }, gone: 1 },
    expected: "unverifiable",
  },
];

const losses: readonly Case[] = [
  ...(["overrun", "faults", "probeMisses"] as const).map((name) => ({
    name: `one timeout short, ${name} 1`,
    counter: "TCPTimeouts" as const,
    scene: { seen: events(1, "timeout"), kernel: { TCPTimeouts: 2 }, losses: { [name]: 1 } },
    expected: "differs",
  })),
  ...(["overrun", "faults"] as const).map((name) => ({
    name: `ten segments short, ${name} 1`,
    counter: "RetransSegs" as const,
    scene: { seen: events(1, "fast"), kernel: { RetransSegs: 11 }, losses: { [name]: 1 } },
    expected: "differs",
  })),
  {
    name: "two timeouts short, one record lost",
    counter: "TCPTimeouts",
    scene: { seen: events(1, "timeout"), kernel: { TCPTimeouts: 3 }, losses: { overrun: 1 } },
    expected: "differs, unexplained",
  },
  ...(["TCPTimeouts", "RetransSegs"] as const).map((counter) => ({
    name: `ten ${counter} short, the probes switched off once by another program`,
    counter,
    scene: { seen: events(1, "timeout"), kernel: { [counter]: 11 }, losses: { gaps: 1 } },
    expected: "differs",
  })),
  {
    name: "segments short, a probe run missed, though its outcome is complete",
    counter: "RetransSegs",
    scene: { seen: events(1, "fast"), kernel: { RetransSegs: 2 }, losses: { probeMisses: 1 } },
    expected: "differs, unexplained",
  },
  {
    name: "segments short, a probe run missed, where outcomes need their attempt (5.10)",
    counter: "RetransSegs",
    scene: {
      seen: events(1, "fast"),
      kernel: { RetransSegs: 2 },
      losses: { probeMisses: 1 },
      sight: { completeOutcomes: false },
    },
    expected: "differs",
  },
  {
    name: "more seen than counted, whatever was lost",
    counter: "RetransSegs",
    scene: { seen: events(2, "fast"), kernel: { RetransSegs: 1 }, losses: { overrun: 9 } },
    expected: "differs, unexplained",
  },
];

const ranges: readonly Case[] = [
  {
    name: "an event within a read, counted",
    counter: "RetransSegs",
    scene: { seen: events(2, "fast"), maybe: events(1, "fast", { segments: 4 }), kernel: { RetransSegs: 6 } },
    expected: "reconciles",
  },
  {
    name: "an event within a read, not counted",
    counter: "RetransSegs",
    scene: { seen: events(2, "fast"), maybe: events(1, "fast", { segments: 4 }), kernel: { RetransSegs: 2 } },
    expected: "reconciles",
  },
  {
    name: "one more than all within and outside of reads",
    counter: "RetransSegs",
    scene: { seen: events(2, "fast"), maybe: events(1, "fast", { segments: 4 }), kernel: { RetransSegs: 7 } },
    expected: "differs, unexplained",
  },
  {
    name: "an event of an untold namespace",
    counter: "RetransSegs",
    scene: { seen: events(2, "fast"), unattributed: events(1, "fast"), kernel: { RetransSegs: 3 } },
    expected: "reconciles",
  },
];

for (const { name, counter, scene, expected } of [
  ...measured,
  ...wrong,
  ...rules,
  ...rungs,
  ...losses,
  ...ranges,
]) {
  test(`reconcile() says ${expected} of ${counter}: ${name}`, () => {
    assert.equal(verdict(scene, counter), expected);
  });
}

test("IDENTITIES has a case that must differ for each of its counters", () => {
  const counters = new Set(wrong.map(({ counter }) => counter));
  assert.deepEqual(
    IDENTITIES.map(({ counter }) => counter).filter((counter) => !counters.has(counter)),
    [],
  );
});

test("reconcile() names terms, losses and blind spots in the note", () => {
  const failed = { seen: events(2, "fast"), kernel: { RetransSegs: 5, TCPRetransFail: 3 } };
  assert.equal(row(failed, "RetransSegs").note, "+ 3 TCPRetransFail");
  const lost = { seen: [], kernel: { TCPTimeouts: 1 }, losses: { overrun: 2, probeMisses: 1, faults: 1 } };
  assert.equal(
    row(lost, "TCPTimeouts").note,
    "1 not seen: 2 lost to buffer overrun, 1 probe run missed, 1 decode fault",
  );
  const unknown = {
    seen: events(3, "tail_loss_probe", { outcome: "unknown" }),
    kernel: { TCPLossProbes: 2 },
  };
  assert.equal(row(unknown, "TCPLossProbes").note, "+ 0 to 3 new data, by the counter");
});

test("reconcile() keeps both numbers of what it cannot check", () => {
  const { seen, kernel } = row(
    {
      seen: events(5, "fast", { segments: undefined }),
      kernel: { RetransSegs: 15 },
      sight: sightOf("tracepoint", { tellsErrors: true }),
    },
    "RetransSegs",
  );
  assert.deepEqual({ seen, kernel }, { seen: 5, kernel: 15 });
});

test("reconcile() sums namespaces up, and one missing segment in one of them is not hidden by another", () => {
  const scene = (seen: number, kernel: number): Scene => ({
    seen: events(seen, "fast"),
    kernel: { RetransSegs: kernel },
  });
  const windows = [scene(3, 4), scene(4, 3), scene(5, 5)].map((part, index) => ({
    netns: index,
    certain: tallyOf(part.seen),
    maybe: tallyOf([]),
    kernel: windowOf(part),
    gone: 0,
  }));
  const { totals } = reconcile(windows, { sight: KPROBE, losses: NO_LOSSES });
  const total = totals.find(({ identity }) => identity.counter === "RetransSegs");
  assert.equal(total?.seen, 12);
  assert.equal(total?.kernel, 12);
  assert.equal(total?.verdict, "differs");
  assert.equal(total?.unexplained, true);
});

test("reconcile() does not let one lost record explain a missing event in each of two namespaces", () => {
  const windows = [1, 2].map((netns) => ({
    netns,
    certain: tallyOf([]),
    maybe: tallyOf([]),
    kernel: windowOf({ seen: [], kernel: { TCPTimeouts: 1 } }),
    gone: 0,
  }));
  const { rows, totals } = reconcile(windows, { sight: KPROBE, losses: { ...NO_LOSSES, overrun: 1 } });
  assert.ok(rows.every(({ unexplained }) => !unexplained));
  assert.ok(totals.some(({ unexplained }) => unexplained));
});

test("reconcile() gives unverifiable with the reason for a namespace without counters", () => {
  const gone = { netns: 7, certain: tallyOf(events(2, "fast")), maybe: tallyOf([]), gone: 0 };
  const { rows, totals } = reconcile([{ ...gone, kernel: { missing: "namespace gone" } }], {
    sight: KPROBE,
    losses: NO_LOSSES,
  });
  assert.ok(rows.every(({ verdict, note }) => verdict === "unverifiable" && note === "namespace gone"));
  assert.ok(totals.every(({ verdict }) => verdict === "unverifiable"));
});
