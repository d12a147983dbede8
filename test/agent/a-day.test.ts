import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { HrTime } from "@opentelemetry/api";
import type { DataPoint } from "@opentelemetry/sdk-metrics";
import { RecentEvents } from "../../src/agent/recent-events.ts";
import type { PodRecord } from "../../src/event/cluster.ts";
import type { Ends, EnrichedEvent } from "../../src/event/end-name.ts";
import { CAUSES, type SocketKey } from "../../src/event/tcp-event.ts";
import { type TraceNanos, traceNanos } from "../../src/event/trace-nanos.ts";
import { Episodes } from "../../src/export/episodes.ts";
import { EventLog } from "../../src/export/event-log.ts";
import { eventSignals } from "../../src/export/event-signals.ts";
import { otlpMetricProducer } from "../../src/export/otlp-metric-producer.ts";
import { RetransmitMetrics } from "../../src/export/retransmit-metrics.ts";
import { anEvent } from "../export/an-event.ts";
import { anEnd, CART, NODE_A } from "../export/some-ends.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const DAY_S = 86_400;
const TICK_S = 4;
const PODS = 10_000;
/** Pods of the node that live at a time: each for some 14 minutes. */
const ALIVE = 100;
const UNIX_MS = Date.UTC(2026, 0, 1);
const PLACE = { node: "node-a", cluster: "c" };

/** The sinks of the agent, on a clock that is set. */
function aDay() {
  const state = { second: 0, emitted: 0, events: 0 };
  const now = () => UNIX_MS + state.second * 1000;
  const unixNanos = (time: TraceNanos) => BigInt(UNIX_MS) * 1_000_000n + BigInt(Math.round(time));
  const metrics = new RetransmitMetrics({ detail: "pod", place: PLACE, now });
  const recent = new RecentEvents();
  const episodes = new Episodes({
    stall: ({ ends }, seconds) => metrics.measureStall(ends, seconds),
    quietSeconds: 30,
  });
  const log = new EventLog({
    emit: () => state.emitted++,
    unixNanos,
    recordsPerSecond: 100,
    summarySeconds: 10,
  });
  return { state, now, metrics, recent, episodes, log, signals: eventSignals({ log, episodes }) };
}

/** The pod with this number, among workloads that stay. */
function aPod(number: number): PodRecord {
  const workload = `work-${number % 40}`;
  return {
    ...CART,
    uid: `uid-${number}`,
    name: `${workload}-${number}`,
    workload: { kind: "Deployment", name: workload, inferred: false },
  };
}

/** Numbers that look like chance, the same each time. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Living {
  readonly pod: PodRecord;
  /** To a few peers, as connections have them. */
  readonly ends: readonly Ends[];
}

function live(number: number, below: (limit: number) => number): Living {
  const pod = aPod(number);
  const end = (of: PodRecord) => anEnd({ kind: "pod", name: `shop/${of.name}`, pod: of, node: NODE_A });
  const ends = [0, 1, 2].map(
    (): Ends => ({ ownership: "own", local: end(pod), peer: end(aPod(PODS + below(PODS))) }),
  );
  return { pod, ends };
}

function anEventOf({ ends }: Living, time: TraceNanos, below: (limit: number) => number): EnrichedEvent {
  const connection = below(ends.length);
  const socket = { key: below(1 << 20) as SocketKey, localPort: 1024 + below(60_000) };
  const cause = CAUSES[below(CAUSES.length)];
  return { event: anEvent({ time, segments: 1, ...(cause && { cause }), socket }), ends: ends[connection] };
}

/** What is held after a collection of garbage, in MiB. */
function heapMiB(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

test("The sinks hold as much after a day of 10,000 pods that come and go as after two hours", {
  timeout: 60_000,
}, (t) => {
  const { state, now, metrics, recent, episodes, log, signals } = aDay();
  const below = chance(7);
  let born = 0;
  const living: Living[] = [];
  const heaps: number[] = [];
  for (let second = TICK_S; second <= DAY_S; second += TICK_S) {
    state.second = second;
    while (born < (second * PODS) / DAY_S) {
      living.push(live(born++, below));
      if (living.length > ALIVE) metrics.podGone(living.shift()?.pod.uid ?? "");
    }
    for (const { pod } of living.slice(-2)) metrics.podSeen(pod);
    const count = second % 3600 === 0 ? 3000 : 4;
    const events = Array.from({ length: count }, () => {
      const from = living[below(living.length)] ?? live(0, below);
      return anEventOf(from, traceNanos((second - TICK_S + below(1e6) * (TICK_S / 1e6)) * 1e9), below);
    });
    state.events += count;
    const watermark = traceNanos(second * 1e9);
    metrics.consume(events);
    signals.consume(events, watermark);
    recent.consume(events, watermark);
    if (second % 20 === 0) metrics.expire(now());
    if (second % 120 === 0) for (const reader of ["otlp", "127.0.0.1"]) scrape(metrics, now(), reader);
    if (second % 7200 === 0) heaps.push(heapMiB());
  }
  const [first = 0] = heaps;
  const last = heaps.at(-1) ?? 0;
  t.diagnostic(`heap every 2 h, MiB: ${heaps.map((heap) => heap.toFixed(1)).join(" ")}`);
  assert.ok(last < first + 4, `${first} → ${last} MiB`);
  assert.ok(metrics.series.size <= 5000 && episodes.open <= 10_000);
  assert.ok(metrics.series.podGone > PODS);
  signals.end();
  assert.equal(log.counts.records + log.counts.summarised, state.events);
  assert.equal(state.emitted, log.counts.records + log.counts.summaries);
});

test("The sinks count on when the wall clock is set back and forth: metrics are exact, and no point is older than one before", async () => {
  const { state, now, metrics } = aDay();
  const below = chance(3);
  const from = live(1, below);
  const scope = { name: "tcpretrans", version: "1" };
  const producer = otlpMetricProducer({ source: metrics, scope, now });
  const times: number[] = [];
  /** By attributes and start: a series that was idle for an hour by the wall clock ends, and begins anew. */
  const last = new Map<string, number>();
  const collect = async () => {
    const { resourceMetrics } = await producer.collect();
    const all = resourceMetrics.scopeMetrics.flatMap((one) => one.metrics);
    const points = all.filter(({ descriptor }) => descriptor.name === "tcp.retransmit.segments");
    for (const { attributes, startTime, endTime, value } of points.flatMap(
      (metric) => metric.dataPoints as DataPoint<number>[],
    )) {
      const key = JSON.stringify([attributes, startTime]);
      assert.ok(value >= (last.get(key) ?? 0) && unixMs(startTime) <= unixMs(endTime));
      last.set(key, value);
      times.push(unixMs(endTime));
    }
  };
  metrics.podSeen(from.pod);
  const seconds = [10, 20, 5, 6, DAY_S, DAY_S + 1, 100, 101];
  for (const [i, second] of seconds.entries()) {
    state.second = second;
    metrics.consume([anEventOf(from, traceNanos(i * 1e9), below)]);
    metrics.expire(now());
    await collect();
  }
  await collect();
  assert.equal(
    [...last.values()].reduce((sum, value) => sum + value, 0),
    seconds.length,
  );
  assert.deepEqual(
    times.toSorted((a, b) => a - b),
    times,
  );
});

function unixMs([seconds, nanos]: HrTime): number {
  return seconds * 1000 + nanos / 1e6;
}

/** Points are made when they are taken. */
function scrape(metrics: RetransmitMetrics, nowUnixMs: number, reader: string): void {
  for (const { points } of metrics.collect(nowUnixMs, reader)) for (const _ of points);
}
