/**
 * What records and episodes cost by themselves, in µs of CPU: prints one JSON object. `signal-cost [ROUNDS]`, in a process
 * of its own with the product's flags.
 */
import type { EnrichedEvent } from "../../src/event/end-name.ts";
import type { Cause, SocketFields, SocketKey } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { Episodes } from "../../src/export/episodes.ts";
import { EventLog } from "../../src/export/event-log.ts";
import { logRecordMaker } from "../../src/export/log-record.ts";
import { anEvent, EVERY_FIELD } from "../export/an-event.ts";
import { CART, CART_END, PRICES_END, someEnds } from "../export/some-ends.ts";
import { spread } from "./bench-report.ts";

const PODS = 20;
const EVENTS = 4096;
const TIMES = 400_000;
/** A storm of 40,000 events a second, in ticks of 20 ms. */
const NANOS_PER_EVENT = 25e3;
const PER_TICK = 800;
const CAUSES: readonly Cause[] = ["fast", "timeout", "slow_start", "fast"];
const SYN: Partial<SocketFields> = { state: 2, srtt: undefined };
const ROUNDS = Number(process.argv[2] ?? 7);

const pods = Array.from({ length: PODS }, (_, i) => ({ ...CART, uid: `u-${i}`, name: `cart-${i}` }));
const unixNanos = (time: number) => 1_795_412_152_000_000_000n + BigInt(Math.round(time));

console.log(
  JSON.stringify({
    "record, all fields told": measure(() => records(eventsOf(256))),
    "record of a SYN": measure(() => records(eventsOf(256, { socket: SYN }))),
    "record, tracepoint": measure(() => records(eventsOf(256, { bare: true }))),
    "beyond the budget, 64 connections": measure(() => beyond(eventsOf(64))),
    "beyond the budget, 900 connections": measure(() => beyond(eventsOf(900))),
    "beyond the budget, 4000 connections": measure(() => beyond(eventsOf(4000))),
    "summary record": measure(() => summaries(eventsOf(900))),
    "episode, 900 connections": measure(() => episodes(eventsOf(900))),
  }),
);

/** Median, smallest and largest of some rounds; the first two compile. */
function measure(round: () => number): object {
  const { median, min, max } = spread(Array.from({ length: ROUNDS + 2 }, round).slice(2));
  return { median: rounded(median), min: rounded(min), max: rounded(max) };
}

function rounded(us: number): number {
  return Math.round(us * 1000) / 1000;
}

function eventsOf(
  connections: number,
  { socket = {}, bare = false }: { readonly socket?: Partial<SocketFields>; readonly bare?: boolean } = {},
): readonly EnrichedEvent[] {
  const ends = Array.from({ length: connections }, (_, i) =>
    someEnds(PRICES_END, { local: { ...CART_END, pod: pods[i % PODS]! } }),
  );
  return Array.from({ length: EVENTS }, (_, i) => {
    const of = (i * 7919) % connections;
    const key = (0xffff8881 * 2 ** 20 + 64 * of) as SocketKey;
    const fields = { ...EVERY_FIELD, seq: 1448 * i, endSeq: 1448 * (i + 1), retransOut: i & 1 };
    const own = { key, localPort: 1024 + of, ...(bare ? {} : fields), ...socket };
    const told = bare ? {} : { rung: "kprobe" as const, segments: 1 };
    const cause = CAUSES[i & 3]!;
    return {
      event: anEvent({ ...told, cause, error: 0, time: traceNanos(i * NANOS_PER_EVENT), socket: own }),
      ends: ends[of],
    };
  });
}

/** CPU of `work` in µs, by so many. */
function cost(work: () => void, count: number): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function records(events: readonly EnrichedEvent[]): number {
  const make = logRecordMaker({ unixNanos });
  let length = 0;
  const us = cost(() => {
    for (let i = 0; i < TIMES; i++) length += make(events[i % EVENTS]!, undefined).body.length;
  }, TIMES);
  if (length === 0) throw new Error("No record has a body");
  return us;
}

function anEventLog(recordsPerSecond: number): EventLog {
  return new EventLog({ emit: () => {}, unixNanos, recordsPerSecond, summarySeconds: 10 });
}

/** Events of a storm, of which one in eighty has a record; making records and summaries is left out. */
function beyond(events: readonly EnrichedEvent[]): number {
  const log = anEventLog(500);
  let us = 0;
  for (let i = 0; i < TIMES; ) {
    us += cost(() => {
      for (const end = i + 10 * PER_TICK; i < end; i++) log.add(events[i % EVENTS]!, undefined);
    }, 1);
    log.pass(traceNanos(i * NANOS_PER_EVENT));
  }
  return us / TIMES;
}

function summaries(events: readonly EnrichedEvent[]): number {
  const log = anEventLog(0);
  const us = Array.from({ length: 20 }, () => {
    for (const event of events) log.add(event, undefined);
    return cost(() => log.end(), 1);
  }).reduce((sum, each) => sum + each, 0);
  return us / log.counts.summaries;
}

function episodes(events: readonly EnrichedEvent[]): number {
  const all = new Episodes({ stall: () => {}, quietSeconds: 30 });
  return cost(() => {
    for (let i = 0; i < TIMES; i++) {
      all.see(events[i % EVENTS]!);
      if (i % PER_TICK === 0) all.pass(traceNanos(i * NANOS_PER_EVENT));
    }
  }, TIMES);
}
