import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ends, EnrichedEvent } from "../../src/event/end-name.ts";
import type { SocketFields, SocketKey, TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { Episodes, type EpisodesOptions } from "../../src/export/episodes.ts";
import { RECORDINGS, recordingPath } from "../support/kernels.ts";
import { replayFile } from "../support/replay.ts";
import { anEvent } from "./an-event.ts";
import { keptSpans } from "./kept-spans.ts";
import { CART, someEnds } from "./some-ends.ts";

const SECOND = 1e9;
const ENDS = someEnds();

/** Episodes that are kept with their stalls and spans. */
function follow(change: Partial<EpisodesOptions> & { readonly maxPerSecond?: number } = {}) {
  const stalls: { readonly ends: Ends | undefined; readonly seconds: number }[] = [];
  const { spans, startSpan } = keptSpans();
  const { maxPerSecond = 1e6, ...rest } = change;
  const episodes = new Episodes({
    stall: ({ ends }, seconds) => stalls.push({ ends, seconds }),
    quietSeconds: 30,
    spans: { startSpan, maxEventsPerSpan: 3, maxPerSecond, unixNanos: (time) => BigInt(Math.round(time)) },
    ...rest,
  });
  return { episodes, stalls, spans };
}

function at(
  seconds: number,
  { socket, ...change }: Partial<Omit<TcpEvent, "socket">> & { socket?: Partial<SocketFields> } = {},
): EnrichedEvent {
  const key = 64 as SocketKey;
  const event = anEvent({
    rung: "kprobe",
    segments: 1,
    ...change,
    time: traceNanos(seconds * SECOND),
    socket: { key, seq: 1000, endSeq: 2000, retransOut: 0, caState: 3, pending: 1, rto: 0.2, ...socket },
  });
  return { event, ends: ENDS };
}

/** The nth timeout in a row, as the kernel doubles its RTO up to 120 s. */
function timeoutAt(seconds: number, n: number, socket: Partial<SocketFields> = {}): EnrichedEvent {
  const rto = Math.min(120, 0.204 * 2 ** (n - 1));
  const fields = { caState: 4, pending: 0, retransmits: n, backoff: n - 1, rto, ...socket };
  return at(seconds, { cause: "timeout", socket: fields });
}

/** Timeouts until the kernel's default limit; gives the time of the last. */
function timeOut(episodes: Episodes, count: number): number {
  let now = 0;
  for (let n = 1; n <= count; n++) {
    const enriched = timeoutAt(now, n);
    episodes.see(enriched);
    episodes.pass(enriched.event.time);
    now += Math.min(120, 0.204 * 2 ** n);
  }
  return now - Math.min(120, 0.204 * 2 ** count);
}

for (const name of RECORDINGS) {
  test(`Episodes of the recording ${name} have each of its events once, and sure bounds`, () => {
    const { events } = replayFile(recordingPath(name));
    const { episodes, stalls, spans } = follow();
    let inEpisodes = 0;
    for (const event of events) {
      if (episodes.see({ event, ends: undefined }) !== undefined) inEpisodes++;
      episodes.pass(event.time);
    }
    episodes.pass(traceNanos(1e12));
    const total = spans.reduce((sum, span) => sum + Number(span.attributes["tcp.retransmit.events"]), 0);
    assert.equal(total, inEpisodes);
    // Only loss probes that did not retransmit are outside, where the connection had no loss.
    assert.ok(events.length - inEpisodes <= events.filter(({ outcome }) => outcome !== "sent").length);
    assert.equal(episodes.open, 0);
    const { recovered, quiet, abandoned, cut_short } = episodes.ended;
    assert.equal(recovered + quiet, spans.length);
    assert.equal(abandoned + cut_short, 0);
    const bounds = spans.map(({ attributes }) => [attributes["tcp.stall.min"], attributes["tcp.stall.max"]]);
    assert.deepEqual(
      stalls.map(({ seconds }) => seconds),
      bounds.map(([min]) => min).filter((min) => min !== undefined && min !== 0),
    );
    assert.equal(stalls.length + episodes.withoutStall, spans.length);
    for (const [min = 0, max = Number.POSITIVE_INFINITY] of bounds) assert.ok(min <= max, `${min} ${max}`);
  });
}

for (const { name, port, min, max, by } of [
  // Five timeouts of one segment, the fourth not sent (EPERM), then slow start: an RTT of a millisecond.
  { name: "6.12", port: 52582, min: 6.443, max: 6.445, by: { timeout: 5, slow_start: 8 } },
  { name: "7.2", port: 50404, min: 2.928, max: 2.93, by: { timeout: 4, slow_start: 5, fast: 1 } },
  { name: "6.1", port: 56404, min: 1.244, max: 1.246, by: { timeout: 3, slow_start: 7, fast: 3 } },
] as const) {
  test(`Episodes tells to the millisecond how long a connection of ${name} stood still`, () => {
    const { events } = replayFile(recordingPath(name));
    const { episodes, spans } = follow();
    for (const event of events) episodes.see({ event, ends: undefined });
    episodes.pass(traceNanos(1e12));
    const span = spans
      .filter(({ attributes }) => attributes["source.port"] === port)
      .find(({ attributes }) => attributes["tcp.retransmit.by_type.timeout"] !== undefined)!;
    const [least, most] = [
      Number(span.attributes["tcp.stall.min"]),
      Number(span.attributes["tcp.stall.max"]),
    ];
    assert.ok(min < least && least < most && most < max, `${least} ${most}`);
    for (const [type, count] of Object.entries(by))
      assert.equal(span.attributes[`tcp.retransmit.by_type.${type}`], count);
  });
}

test("Episodes of the rung tracepoint tell how long handshakes stood still, and of data nothing", () => {
  const { events } = replayFile(recordingPath("6.18-tracepoint"));
  const { episodes, stalls, spans } = follow();
  for (const event of events) episodes.see({ event, ends: undefined });
  episodes.pass(traceNanos(1e12));
  assert.equal(stalls.length, 5);
  assert.equal(episodes.withoutStall, spans.length - 5);
  const told = spans.map(({ attributes }) => [
    attributes["tcp.state"],
    Math.floor(Number(attributes["tcp.stall.min"])),
  ]);
  const handshakes = told.filter(([state]) => state === "SYN_SENT" || state === "NEW_SYN_RECV");
  assert.deepEqual(handshakes.map(([, seconds]) => seconds).toSorted(), [0, 1, 2, 2, 3, 8]);
  for (const [state, seconds] of told) {
    if (state === "ESTABLISHED" || state === "LAST_ACK") assert.ok(Number.isNaN(seconds));
  }
});

test("Episodes end recovered when a later event shows that all is acknowledged, and that event begins the next", () => {
  const { episodes, stalls, spans } = follow();
  episodes.see(timeoutAt(0, 1));
  episodes.see(timeoutAt(0.4, 2));
  episodes.see(at(5, { socket: { seq: 9000, endSeq: 9500, pending: 5 } }));
  assert.deepEqual(episodes.ended, { recovered: 1, abandoned: 0, quiet: 0, cut_short: 0 });
  assert.equal(episodes.open, 1);
  assert.deepEqual(stalls, [{ ends: ENDS, seconds: 0.4 }]);
  const [first] = spans;
  assert.equal(first?.status.code, "ok");
  assert.equal(first.attributes["tcp.episode.end"], "recovered");
  assert.equal(first.attributes["tcp.stall.max"], 5);
  assert.deepEqual([first.startUnixNanos, first.endUnixNanos], [0n, 400_000_000n]);
});

test("Episodes take a handshake for recovered with the first event after it", () => {
  const { episodes, spans } = follow();
  const syn = { state: 2, caState: 4, pending: 0, seq: 7, endSeq: 8 };
  for (const [n, seconds] of [1, 3, 7].entries())
    episodes.see(
      at(seconds, { cause: "syn", socket: { ...syn, retransmits: n + 1, backoff: n, rto: 2 ** n } }),
    );
  episodes.see(at(9, { socket: { seq: 8, endSeq: 1008 } }));
  const { attributes } = spans[0]!;
  assert.deepEqual(
    ["tcp.episode.end", "tcp.stall.min", "tcp.stall.max"].map((key) => attributes[key]),
    ["recovered", 6, 8],
  );
});

test("Episodes measure the longest stall of several in one episode", () => {
  const { episodes, stalls } = follow();
  for (const n of [1, 2, 3]) episodes.see(timeoutAt([0, 0.4, 1.2][n - 1]!, n));
  // An acknowledgement of the first segment: the second is sent, lost again, and times out for longer.
  episodes.see(
    at(1.3, { cause: "slow_start", socket: { caState: 4, seq: 2000, endSeq: 3000, retransmits: 0 } }),
  );
  for (const n of [1, 2, 3, 4])
    episodes.see(timeoutAt(1.3 + [0.2, 0.6, 1.4, 3][n - 1]!, n, { seq: 2000, endSeq: 3000 }));
  episodes.pass(traceNanos(100 * SECOND));
  assert.deepEqual(episodes.ended, { recovered: 0, abandoned: 0, quiet: 1, cut_short: 0 });
  assert.deepEqual(
    stalls.map(({ seconds }) => seconds),
    [3],
  );
});

test("Episodes are quiet when nothing came for the time that is set and names can hold no event back", () => {
  const { episodes, spans } = follow({ quietSeconds: 10 });
  episodes.see(at(1));
  episodes.pass(traceNanos(13.4 * SECOND));
  assert.equal(episodes.open, 1);
  episodes.pass(traceNanos(14.5 * SECOND));
  assert.equal(episodes.ended.quiet, 1);
  assert.equal(spans[0]?.status.code, "unset");
  // The span ends with what was seen last, not when it was found quiet.
  assert.equal(spans[0].endUnixNanos, BigInt(SECOND));
});

test("Episodes wait for the kernel's next try, however long its timeout is", () => {
  const { episodes } = follow({ quietSeconds: 10 });
  for (const [now, n] of [
    [0, 8],
    [51.2, 9],
  ] as const)
    episodes.see(timeoutAt(now, n));
  episodes.pass(traceNanos((51.2 + 2 * 51.2) * SECOND));
  assert.equal(episodes.open, 1);
  episodes.pass(traceNanos((51.2 + 2 * 51.2 * 1.25 + 8) * SECOND));
  assert.equal(episodes.ended.quiet, 1);
});

test("Episodes wait twice the last gap between timeouts where the rung does not tell them", () => {
  const { episodes } = follow({ quietSeconds: 10 });
  const bare = { seq: undefined, endSeq: undefined, retransOut: undefined, caState: undefined };
  for (const seconds of [0, 8, 24])
    episodes.see(at(seconds, { cause: "timeout", socket: { ...bare, pending: undefined, rto: undefined } }));
  episodes.pass(traceNanos((24 + 32) * SECOND));
  assert.equal(episodes.open, 1);
  episodes.pass(traceNanos((24 + 32 * 1.25 + 4) * SECOND));
  assert.equal(episodes.ended.quiet, 1);
});

test("Episodes are abandoned when the kernel's time for retransmits is used up and nothing more came", () => {
  const { episodes, stalls, spans } = follow();
  const last = timeOut(episodes, 15);
  assert.ok(last > 800 && last < 924, `${last}`);
  episodes.pass(traceNanos((last + 200) * SECOND));
  assert.equal(episodes.ended.abandoned, 1);
  assert.equal(spans[0]?.status.code, "error");
  assert.match(spans[0].status.message ?? "", /^The kernel gave up/);
  assert.deepEqual(stalls, [{ ends: ENDS, seconds: last }]);
});

test("Episodes are quiet, not abandoned, when retransmits stop before the kernel's time is used up", () => {
  const { episodes } = follow();
  const last = timeOut(episodes, 12);
  episodes.pass(traceNanos((last + 200) * SECOND));
  assert.deepEqual(episodes.ended, { recovered: 0, abandoned: 0, quiet: 1, cut_short: 0 });
});

for (const { name, tries, linear, ended } of [
  { name: "6 SYNs", tries: 6, linear: 0, ended: "abandoned" },
  { name: "5 SYNs", tries: 5, linear: 0, ended: "quiet" },
  {
    name: "10 SYNs of which the first 4 were not doubled (since 6.5)",
    tries: 10,
    linear: 4,
    ended: "abandoned",
  },
  { name: "9 SYNs of which the first 4 were not doubled (since 6.5)", tries: 9, linear: 4, ended: "quiet" },
] as const) {
  test(`Episodes are ${ended} after ${name} and nothing more`, () => {
    const { episodes } = follow();
    let now = 0;
    for (let n = 1; n <= tries; n++) {
      const backoff = Math.max(0, n - 1 - linear);
      const socket = {
        state: 2,
        caState: 4,
        pending: 0,
        seq: 7,
        endSeq: 8,
        retransmits: n,
        backoff,
        rto: 2 ** backoff,
      };
      episodes.see(at(now, { cause: "syn", socket }));
      now += 2 ** backoff * 2;
    }
    episodes.pass(traceNanos((now + 400) * SECOND));
    assert.equal(episodes.ended[ended], 1);
  });
}

test("Episodes end with a connection whose socket's place another has taken", () => {
  const { episodes } = follow();
  episodes.see(at(0));
  episodes.see(at(1, { socket: { localPort: 1 } }));
  assert.equal(episodes.ended.quiet, 1);
  episodes.see(at(2, { cause: "syn", socket: { localPort: 1, state: 2, seq: 5 } }));
  episodes.see(at(3, { cause: "syn", socket: { localPort: 1, state: 2, seq: 6 } }));
  assert.equal(episodes.ended.quiet, 3);
  assert.equal(episodes.open, 1);
});

test("Episodes do not begin with a loss probe that did not retransmit, and take it where one is open", () => {
  const { episodes, spans } = follow();
  const probe = (seconds: number, outcome: "new_data" | "nothing") =>
    at(seconds, {
      kind: "loss_probe",
      cause: "tail_loss_probe",
      outcome,
      socket: { caState: 2, pending: 5, seq: undefined, endSeq: undefined },
    });
  assert.equal(episodes.see(probe(0, "new_data")), undefined);
  assert.equal(episodes.open, 0);
  const ids = episodes.see(at(1));
  assert.ok(ids);
  assert.equal(episodes.see(probe(2, "nothing")), ids);
  episodes.end();
  assert.equal(spans[0]?.attributes["tcp.loss_probes"], 1);
});

test("Episodes at a time are bounded: of more, the one that began first is cut short and counted", () => {
  const { episodes } = follow({ maxOpen: 2 });
  for (const n of [1, 2, 3, 4]) episodes.see(at(n, { socket: { key: (64 * n) as SocketKey, localPort: n } }));
  assert.equal(episodes.open, 2);
  assert.equal(episodes.ended.cut_short, 2);
  episodes.end();
  assert.deepEqual([episodes.open, episodes.ended.cut_short], [0, 4]);
});

test("Episodes last 20 minutes at most, where losses follow each other without an end", () => {
  const { episodes } = follow();
  const bare = {
    seq: undefined,
    endSeq: undefined,
    retransOut: undefined,
    caState: undefined,
    rto: undefined,
  };
  for (let second = 0; second <= 1220; second += 20) {
    episodes.see(at(second, { socket: { ...bare, pending: undefined } }));
    episodes.pass(traceNanos(second * SECOND));
  }
  assert.deepEqual(episodes.ended, { recovered: 0, abandoned: 0, quiet: 0, cut_short: 1 });
  assert.equal(episodes.open, 1);
});

test("Episodes give a span both ends, what was counted, and as many events as are allowed", () => {
  const { episodes, spans } = follow();
  for (const n of [1, 2, 3, 4, 5]) episodes.see(timeoutAt(n, n, { netns: 4026531840 }));
  episodes.end();
  const [span] = spans;
  assert.equal(span?.name, "tcp loss recovery");
  assert.equal(span.pod, CART);
  assert.deepEqual(
    span.events.map(({ name, unixNanos, attributes }) => [name, unixNanos, attributes["tcp.rto"]]),
    [
      ["tcp.retransmit", BigInt(1 * SECOND), 0.204],
      ["tcp.retransmit", BigInt(2 * SECOND), 0.408],
      ["tcp.retransmit", BigInt(3 * SECOND), 0.816],
    ],
  );
  const { attributes } = span;
  assert.equal(attributes["source.address"], "10.150.18.225");
  assert.equal(attributes["source.name"], "shop/cart-7d4f9c-x2x");
  assert.equal(attributes["destination.k8s.service.name"], "prices");
  assert.deepEqual(
    Object.fromEntries(Object.entries(attributes).filter(([key]) => /^tcp\.|^linux|^probe/.test(key))),
    {
      "tcp.state": "ESTABLISHED",
      "linux.network_namespace.inum": 4026531840,
      "probe.rung": "kprobe",
      "tcp.retransmit.events": 5,
      "tcp.retransmits": 5,
      "tcp.retransmit.segments": 5,
      "tcp.retransmit.failures": 0,
      "tcp.loss_probes": 0,
      "tcp.retransmit.by_type.timeout": 5,
      "tcp.backoff": 4,
      "tcp.episode.end": "cut_short",
      "tcp.stall.min": 4,
    },
  );
});

test("Episodes begin a bounded number of spans a second, count those without one, and follow them all the same", () => {
  const { episodes, spans, stalls } = follow({ maxPerSecond: 2 });
  for (const n of [1, 2, 3, 4])
    episodes.see(at(0.1 * n, { socket: { key: (64 * n) as SocketKey, localPort: n } }));
  assert.equal(episodes.withoutSpan, 2);
  assert.ok(episodes.see(at(1.1, { socket: { key: 640 as SocketKey, localPort: 5 } })));
  episodes.end();
  assert.equal(spans.length, 3);
  assert.equal(stalls.length + episodes.withoutStall, 5);
});

test("Episodes take no stall of 0 s for one: a retransmit that is the last says nothing of how long nothing went on", () => {
  const { episodes, spans, stalls } = follow();
  episodes.see(timeoutAt(0, 1));
  episodes.end();
  assert.deepEqual(stalls, []);
  assert.equal(episodes.withoutStall, 1);
  assert.equal(spans[0]?.attributes["tcp.stall.min"], 0);
});

test("Episodes have spans that end no earlier than they begin, though the wall clock is found slower meanwhile", () => {
  let ahead = 1_000_000n;
  const { spans, startSpan } = keptSpans();
  const unixNanos = (time: number) => BigInt(Math.round(time)) + ahead;
  const { episodes } = follow({ spans: { startSpan, maxEventsPerSpan: 3, unixNanos } });
  episodes.see(at(1));
  ahead = 0n;
  episodes.see(at(1.0005));
  episodes.end();
  const [span] = spans;
  assert.equal(span?.startUnixNanos, 1_001_000_000n);
  assert.deepEqual(
    span?.events.map(({ unixNanos }) => unixNanos),
    [1_001_000_000n, 1_001_500_000n],
  );
  assert.equal(span?.endUnixNanos, 1_001_500_000n);
});

test("Episodes measure stalls without spans where traces are off", () => {
  const { episodes, spans, stalls } = follow({ spans: undefined });
  assert.equal(episodes.see(timeoutAt(0, 1)), undefined);
  episodes.see(timeoutAt(0.4, 2));
  episodes.end();
  assert.equal(spans.length, 0);
  assert.deepEqual(stalls, [{ ends: ENDS, seconds: 0.4 }]);
});
