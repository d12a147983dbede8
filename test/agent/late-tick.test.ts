import assert from "node:assert/strict";
import { test } from "node:test";
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import type { SocketKey } from "../../src/event/tcp-event.ts";
import { type TraceNanos, traceNanos } from "../../src/event/trace-nanos.ts";
import { Episodes } from "../../src/export/episodes.ts";
import { EventLog } from "../../src/export/event-log.ts";
import { eventSignals } from "../../src/export/event-signals.ts";
import type { LogEntry } from "../../src/export/log-entry.ts";
import { RetransmitMetrics } from "../../src/export/retransmit-metrics.ts";
import { anEvent } from "../export/an-event.ts";
import { anEnd, CART, someEnds } from "../export/some-ends.ts";

const SECOND = 1e9;
const UNIX_MS = Date.UTC(2026, 0, 1);
const CONNECTIONS = 40;
const SECONDS = 150;
/** Log records a second. */
const BUDGET = 20;
/** The pump did not come to look between these two. */
const STOOD_STILL = { from: 30, until: 110 };

/** A connection times out again and again, or once a second with ever new data. */
function eventAt(time: TraceNanos, connection: number): EnrichedEvent {
  const goesOn = connection % 2 === 0;
  const seq = goesOn ? 1000 : 1000 + Math.floor(time / SECOND) * 500;
  const socket = {
    key: (64 + connection) as SocketKey,
    localPort: 1000 + connection,
    ...{ seq, endSeq: seq + 500, retransOut: 0, caState: 4, pending: 1, retransmits: 1, rto: 0.2 },
  };
  const peer = anEnd({
    kind: "pod",
    name: `shop/p-${connection}`,
    pod: { ...CART, uid: `p-${connection}`, name: `p-${connection}` },
  });
  return {
    event: anEvent({ time, rung: "kprobe", cause: "timeout", segments: 1, socket }),
    ends: someEnds(peer),
  };
}

/** Every event of the time, in order. In the second from 40 on there is a storm. */
const EVENTS: readonly EnrichedEvent[] = Array.from({ length: SECONDS * 10 }, (_, i) => {
  const many = i >= 400 && i < 410 ? 60 : 1;
  return Array.from({ length: many }, (__, n) => eventAt(traceNanos(i * 1e8 + n), (i * 7 + n) % CONNECTIONS));
}).flat();

/** What comes out of the agent's sinks when they get the events at these ticks, in seconds. */
function told(ticks: readonly number[]) {
  const now = () => UNIX_MS + second * 1000;
  let second = 0;
  const entries: LogEntry[] = [];
  const stalls: number[] = [];
  const metrics = new RetransmitMetrics({ detail: "pod", place: { node: "node-a", cluster: "c" }, now });
  const episodes = new Episodes({
    stall: ({ ends }, seconds) => {
      stalls.push(seconds);
      metrics.measureStall(ends, seconds);
    },
    quietSeconds: 30,
  });
  const unixNanos = (time: TraceNanos) => BigInt(UNIX_MS) * 1_000_000n + BigInt(Math.round(time));
  const log = new EventLog({
    ...{ emit: (entry: LogEntry) => entries.push(entry), unixNanos },
    ...{ recordsPerSecond: BUDGET, summarySeconds: 10 },
  });
  const signals = eventSignals({ log, episodes });
  let given = 0;
  for (second of ticks) {
    const watermark = traceNanos(second * SECOND);
    const from = given;
    while (given < EVENTS.length && (EVENTS[given]?.event.time ?? 0) < watermark) given++;
    const batch = EVENTS.slice(from, given);
    metrics.consume(batch);
    signals.consume(batch, watermark);
  }
  signals.end();
  return { given, entries, stalls, metrics, episodes, log };
}

const prompt = Array.from({ length: SECONDS * 5 + 1 }, (_, i) => i / 5);
const late = prompt.filter((second) => second <= STOOD_STILL.from || second >= STOOD_STILL.until);

test("The sinks tell after a tick that came 80 s late what they tell at ticks in time: metrics, episodes, stalls, and of each event", () => {
  const [one, other] = [told(prompt), told(late)];
  assert.equal(one.given, EVENTS.length);
  assert.equal(other.given, EVENTS.length);
  assert.ok(one.episodes.ended.recovered > 0 && one.stalls.length > 0);
  for (const { log, entries } of [one, other]) {
    assert.ok(log.counts.summarised > 0);
    assert.equal(log.counts.records + log.counts.summarised, EVENTS.length);
    assert.equal(eventsOf(entries), EVENTS.length);
  }
  assert.deepEqual(other.episodes.ended, one.episodes.ended);
  assert.deepEqual(other.stalls, one.stalls);
  assert.deepEqual(segments(other.metrics), segments(one.metrics));
});

test("The sinks give log records the events' own times after a late tick, in order for each connection", () => {
  const { entries } = told(late);
  const last = new Map<unknown, bigint>();
  for (const { timeUnixNanos, eventName, attributes } of entries) {
    if (eventName !== "tcp.retransmit") continue;
    const key = attributes["source.port"];
    assert.ok((last.get(key) ?? 0n) <= timeUnixNanos, `${key}`);
    last.set(key, timeUnixNanos);
  }
  const inGap = entries.filter(({ timeUnixNanos }) => {
    const second = Number(timeUnixNanos / 1_000_000n - BigInt(UNIX_MS)) / 1000;
    return second > STOOD_STILL.from + 1 && second < STOOD_STILL.until - 1;
  });
  assert.ok(inGap.length > BUDGET, `${inGap.length} of the time in which nobody looked`);
});

test("The sinks give what a late tick brings no more log records than a second has", () => {
  const { entries } = told([0, SECONDS]);
  const [records, summaries] = ["tcp.retransmit", "tcp.retransmit.summary"].map((name) =>
    entries.filter(({ eventName }) => eventName === name),
  );
  assert.equal(records?.length, BUDGET);
  assert.equal(eventsOf(summaries ?? []), EVENTS.length - BUDGET);
});

function eventsOf(entries: readonly LogEntry[]): number {
  const counts = entries.map(({ attributes }) => Number(attributes["tcp.retransmit.events"] ?? 1));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Values of every series of the segments' metric. */
function segments(metrics: RetransmitMetrics): readonly unknown[] {
  const families = metrics.collect(UNIX_MS + SECONDS * 1000, "test");
  const family = [...families].find(({ name }) => name === "tcp.retransmit.segments");
  return [...(family?.points ?? [])]
    .map(({ attributes, value }) => JSON.stringify([attributes, value]))
    .sort();
}
