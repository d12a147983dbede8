import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import { CAUSES, type Cause, OUTCOMES, type SocketKey, type TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { TYPE_KEYS } from "../../src/export/attributes.ts";
import { EventLog, type EventLogOptions } from "../../src/export/event-log.ts";
import type { LogEntry } from "../../src/export/log-entry.ts";
import { anEvent, EVERY_FIELD } from "./an-event.ts";
import { anEnd, CART, CART_END, PRICES_END, someEnds } from "./some-ends.ts";

const EPOCH = 1_795_412_152_000_000_000n;
const MS = 1e6;
const SECOND = 1e9;
const CONTEXT = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };

function anEventLog(change: Partial<EventLogOptions> = {}) {
  const entries: LogEntry[] = [];
  const log = new EventLog({
    emit: (entry) => entries.push(entry),
    unixNanos: (time) => EPOCH + BigInt(Math.round(time)),
    recordsPerSecond: 500,
    summarySeconds: 10,
    ...change,
  });
  return { log, entries };
}

const ENDS = Array.from({ length: 12 }, (_, pod) =>
  someEnds(PRICES_END, { local: { ...CART_END, pod: { ...CART, uid: `u-${pod}`, name: `cart-${pod}` } } }),
);

/** An event of one of many connections; `of` is the socket's place, `port` the connection in it. */
function ofConnection(of: number, change: Partial<TcpEvent> = {}, port = of): EnrichedEvent {
  const event = anEvent({ ...change, socket: { key: (4096 + 64 * of) as SocketKey, localPort: port } });
  return { event, ends: ENDS[of % ENDS.length] };
}

/** How many events a record stands for. */
function eventsOf({ eventName, attributes }: LogEntry): number {
  return eventName === "tcp.retransmit.summary" ? Number(attributes["tcp.retransmit.events"]) : 1;
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((a, b) => a + b, 0);
}

const storms = fc.record({
  recordsPerSecond: fc.integer({ min: 0, max: 20 }),
  summarySeconds: fc.integer({ min: 1, max: 12 }),
  maxConnections: fc.integer({ min: 0, max: 6 }),
  maxPods: fc.integer({ min: 0, max: 3 }),
  maxCounted: fc.integer({ min: 0, max: 4 }),
  // Ticks of events, some empty and some after a pause of many windows.
  ticks: fc.array(
    fc.record({
      afterMs: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1000, max: 40_000 })),
      events: fc.array(
        fc.record({
          of: fc.nat(15),
          port: fc.nat(2),
          cause: fc.constantFrom(...CAUSES),
          outcome: fc.constantFrom(...OUTCOMES),
          kind: fc.constantFrom("retransmit" as const, "loss_probe" as const),
          segments: fc.option(fc.nat(40), { nil: undefined }),
          earlyMs: fc.nat(3000),
          named: fc.boolean(),
        }),
        { maxLength: 60 },
      ),
    }),
    { maxLength: 12 },
  ),
});

test("EventLog's records and summaries stand for all events, each once, in any storm and at any end", () => {
  fc.assert(
    fc.property(storms, ({ ticks, recordsPerSecond, summarySeconds, ...summaries }) => {
      const { log, entries } = anEventLog({ recordsPerSecond, summarySeconds, summaries });
      const all: TcpEvent[] = [];
      let now = 0;
      for (const { afterMs, events } of ticks) {
        now += afterMs * MS;
        for (const { of, port, earlyMs, named, ...change } of events) {
          const time = traceNanos(Math.max(0, now - earlyMs * MS));
          const { event, ends } = ofConnection(of, { ...change, time }, port);
          all.push(event);
          log.add({ event, ends: named ? ends : undefined }, undefined);
        }
        log.pass(traceNanos(now));
        assert.equal(sum(entries.map(eventsOf)) + log.pending, all.length);
      }
      log.end();
      assert.equal(log.pending, 0);
      assert.equal(sum(entries.map(eventsOf)), all.length);
      const records = entries.filter(({ eventName }) => eventName !== "tcp.retransmit.summary");
      const summed = entries.filter(({ eventName }) => eventName === "tcp.retransmit.summary");
      const summarised = sum(summed.map(eventsOf));
      assert.deepEqual(log.counts, { records: records.length, summaries: summed.length, summarised });
      const total = (key: string) => sum(summed.map(({ attributes }) => Number(attributes[key] ?? 0)));
      for (const cause of CAUSES) {
        const alone = records.filter(({ attributes }) => attributes["network.tcp.retransmit.type"] === cause);
        const expected = all.filter((event) => event.cause === cause).length;
        assert.equal(alone.length + total(TYPE_KEYS[cause]), expected, cause);
      }
      const sent = all.filter(({ outcome }) => outcome === "sent");
      const own = records.filter(({ attributes }) => attributes["tcp.retransmit.outcome"] === "sent");
      const segments = own.map(({ attributes }) => Number(attributes["tcp.segments"] ?? 1));
      assert.equal(
        sum(segments) + total("tcp.retransmit.segments"),
        sum(sent.map(({ segments }) => segments ?? 1)),
      );
      for (const { attributes } of summed) assert.ok(Number(attributes["tcp.retransmit.connections"]) >= 0);
    }),
    { numRuns: 500 },
  );
});

test("EventLog keeps the order of each connection's records", () => {
  const { log, entries } = anEventLog({ recordsPerSecond: 7 });
  for (let i = 0; i < 300; i++) {
    log.add(ofConnection(i % 3, { time: traceNanos(i * 10 * MS) }), undefined);
    log.pass(traceNanos(i * 10 * MS));
  }
  log.end();
  const records = entries.filter(({ eventName }) => eventName === "tcp.retransmit");
  for (const port of [0, 1, 2]) {
    const times = records
      .filter(({ attributes }) => attributes["source.port"] === port)
      .map(({ timeUnixNanos }) => timeUnixNanos);
    assert.ok(times.length > 3);
    assert.deepEqual(times, times.toSorted());
  }
});

test("EventLog emits a second's records when it is over, as many as the budget allows, and the next second's anew", () => {
  const { log, entries } = anEventLog({ recordsPerSecond: 5 });
  const storm = () => {
    for (let i = 0; i < 20; i++) log.add(ofConnection(0), undefined);
  };
  log.pass(traceNanos(0));
  storm();
  log.pass(traceNanos(0.9 * SECOND));
  assert.equal(entries.length, 0);
  log.pass(traceNanos(1 * SECOND));
  assert.equal(entries.length, 5);
  storm();
  log.pass(traceNanos(1.9 * SECOND));
  assert.equal(entries.length, 5);
  log.pass(traceNanos(2 * SECOND));
  assert.equal(entries.length, 10);
});

test("EventLog sums a connection up once in a window, and begins the next window with the next event beyond", () => {
  const { log, entries } = anEventLog({ recordsPerSecond: 0, summarySeconds: 10 });
  for (const second of [0, 1, 5, 9.9, 10, 25, 34.9, 35]) {
    log.add(ofConnection(1, { time: traceNanos(second * SECOND) }), undefined);
    log.pass(traceNanos(second * SECOND));
  }
  assert.deepEqual(entries.map(eventsOf), [5, 3]);
  assert.equal(log.pending, 0);
});

test("EventLog writes what a summary stands for: the connection, its names, counts by type, first and last time", () => {
  const { log, entries } = anEventLog({ recordsPerSecond: 0 });
  const types: readonly Cause[] = ["fast", "fast", "timeout", "tail_loss_probe"];
  for (const [i, cause] of types.entries()) {
    const socket = { ...EVERY_FIELD, key: 64 as SocketKey, backoff: [0, 3, 1, 0][i] };
    const kind = cause === "tail_loss_probe" ? "loss_probe" : "retransmit";
    const outcome = cause === "timeout" ? "failed" : "sent";
    const segments = cause === "timeout" ? 0 : 2;
    const time = traceNanos(i * SECOND + 42);
    const event = anEvent({ rung: "kprobe", kind, cause, outcome, segments, time, socket });
    log.add({ event, ends: someEnds(anEnd({ kind: "external", name: "external" })) }, CONTEXT);
  }
  log.end();
  assert.deepEqual(entries, [
    {
      eventName: "tcp.retransmit.summary",
      timeUnixNanos: EPOCH + 3_000_000_042n,
      body:
        "10.150.18.225:53874 R> 10.105.152.3:6001 ESTABLISHED 4 events in 3.0 s " +
        "(fast 2, timeout 1, tail_loss_probe 1) shop/cart-7d4f9c-x2x -> external",
      attributes: {
        "source.address": "10.150.18.225",
        "source.port": 53874,
        "destination.address": "10.105.152.3",
        "destination.port": 6001,
        "network.type": "ipv4",
        "network.transport": "tcp",
        "network.connection.state": "established",
        "tcp.state": "ESTABLISHED",
        "source.kind": "pod",
        "source.name": "shop/cart-7d4f9c-x2x",
        "source.attribution": "cgroup",
        "source.k8s.namespace.name": "shop",
        "source.k8s.pod.name": "cart-7d4f9c-x2x",
        "source.k8s.pod.uid": "u-1",
        "source.k8s.container.name": "app",
        "source.k8s.workload.kind": "Deployment",
        "source.k8s.workload.name": "cart",
        "source.k8s.node.name": "node-a",
        "source.cloud.availability_zone": "eu-1a",
        "destination.kind": "external",
        "destination.name": "external",
        "destination.attribution": "none",
        "linux.network_namespace.inum": 4026531840,
        "probe.rung": "kprobe",
        "tcp.retransmit.scope": "connection",
        "tcp.retransmit.connections": 1,
        "tcp.retransmit.events": 4,
        "tcp.retransmits": 3,
        "tcp.retransmit.segments": 6,
        "tcp.retransmit.failures": 1,
        "tcp.loss_probes": 1,
        "tcp.retransmit.by_type.timeout": 1,
        "tcp.retransmit.by_type.fast": 2,
        "tcp.retransmit.by_type.tail_loss_probe": 1,
        "tcp.backoff": 3,
        "tcp.retransmit.first": "2026-11-23T05:35:52.000000042Z",
        "tcp.retransmit.last": "2026-11-23T05:35:55.000000042Z",
      },
      pod: CART,
      context: CONTEXT,
    },
  ]);
});

test("EventLog sums up by pod what has no room by connection, and by node what has no room by pod", () => {
  const summaries = { maxConnections: 2, maxPods: 1 };
  const { log, entries } = anEventLog({ recordsPerSecond: 0, summaries });
  // Pods 0 and 1 have a connection each, then pod 0 has two more, and pods 1 and 2 have three more.
  for (const place of [0, 1, 12, 24, 12, 12, 13, 2, 14]) log.add(ofConnection(place), undefined);
  log.end();
  assert.deepEqual(
    entries.map(({ attributes, body, pod }) => [
      attributes["tcp.retransmit.scope"],
      attributes["source.k8s.pod.name"],
      attributes["destination.name"],
      attributes["tcp.retransmit.connections"],
      attributes["tcp.retransmit.events"],
      body.replace(/^.* ESTABLISHED /, ""),
      pod?.name,
    ]),
    [
      ...[0, 1].map((pod) => [
        "connection",
        `cart-${pod}`,
        PRICES_END.name,
        1,
        1,
        "1 event in 0.0 s (fast 1) shop/cart-7d4f9c-x2x -> svc shop/prices (shop/nightly-29000-abcde)",
        `cart-${pod}`,
      ]),
      [
        "pod",
        "cart-0",
        undefined,
        2,
        4,
        "4 events of 2 other connections in 0.0 s (fast 4) shop/cart-7d4f9c-x2x",
        "cart-0",
      ],
      [
        "node",
        undefined,
        undefined,
        3,
        3,
        "3 events of 3 other connections in 0.0 s (fast 3) of this node",
        undefined,
      ],
    ],
  );
});

test("EventLog tells two connections apart that had the same socket's place one after the other", () => {
  const { log, entries } = anEventLog({ recordsPerSecond: 0 });
  for (const port of [7, 7, 8]) log.add(ofConnection(3, {}, port), undefined);
  log.end();
  assert.deepEqual(
    entries.map(({ attributes }) => [attributes["source.port"], attributes["tcp.retransmit.events"]]),
    [
      [7, 2],
      [8, 1],
    ],
  );
});

test("EventLog emits at most 1101 summaries a window, however many connections and pods there are", () => {
  const { log, entries } = anEventLog({ recordsPerSecond: 0 });
  for (let i = 0; i < 5000; i++) {
    const { event } = ofConnection(i);
    const local = { ...CART_END, pod: { ...CART, uid: `pod-${i % 500}` } };
    log.add({ event, ends: someEnds(PRICES_END, { local }) }, undefined);
  }
  log.end();
  // Each of these pods is an object of its own: the node's summary takes what 100 of them leave.
  assert.equal(entries.length, 1101);
  assert.equal(sum(entries.map(eventsOf)), 5000);
  assert.equal(sum(entries.map(({ attributes }) => Number(attributes["tcp.retransmit.connections"]))), 5000);
});
