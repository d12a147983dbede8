import { setTimeout as delay } from "node:timers/promises";
import { formatCounters, formatCountersHeader, type NamespaceCounts } from "../export/counters-table.ts";
import { NamespaceCounterReader } from "../host/namespace-counters.ts";
import { listNetworkNamespaces } from "../host/network-namespaces.ts";
import type { TcpCounters } from "../host/tcp-counters.ts";
import { openLibc } from "../syscall/libc.ts";
import { stopWhen } from "./stop-when.ts";
import type { TraceIo } from "./trace.ts";

export interface CountersSettings {
  /** Seconds between two reads. */
  readonly interval: number;
  readonly duration: number | undefined;
  readonly json: boolean;
  /** Network namespaces to show; undefined for all. */
  readonly netns: ReadonlySet<number> | undefined;
  readonly noFfi: boolean;
}

/** Prints, each interval, what the kernel counted in each network namespace: the rung that needs no tracing at all. */
export async function runCounters(
  settings: CountersSettings,
  { write, say, signal }: TraceIo,
): Promise<void> {
  const reader = new NamespaceCounterReader({
    procRoot: "/proc",
    libc: openLibc({ disabled: settings.noFfi }),
  });
  const stopped = new AbortController();
  using _stop = stopWhen(() => stopped.abort(), { seconds: settings.duration, signal });
  const unreadable = new Set<number>();
  const read = () => readAll(reader, { settings, say, unreadable });
  say("Counting TCP retransmits per network namespace, without their connections. Ctrl-C ends it");
  if (!settings.json) write(formatCountersHeader());
  let before = await read();
  while (!stopped.signal.aborted) {
    await delay(settings.interval * 1000, undefined, { signal: stopped.signal }).catch(() => undefined);
    const now = await read();
    const counts = differences(before, now);
    if (counts.length > 0) write(formatCounters(counts, { json: settings.json, unixMs: Date.now() }));
    before = now;
  }
  if (!settings.json) write("\nEnding tracing...\n");
}

/** Of one reading, by namespace; undefined for one that could not be read. */
export type CountersByNamespace = ReadonlyMap<number, TcpCounters | undefined>;

async function readAll(
  reader: NamespaceCounterReader,
  {
    settings,
    say,
    unreadable,
  }: Pick<TraceIo, "say"> & { settings: CountersSettings; unreadable: Set<number> },
): Promise<CountersByNamespace> {
  const all = new Map<number, TcpCounters | undefined>();
  for (const namespace of listNetworkNamespaces({ procRoot: "/proc" })) {
    if (settings.netns !== undefined && !settings.netns.has(namespace.inum)) continue;
    const reading = await reader.read(namespace);
    all.set(reading.inum, reading.kind === "read" ? reading.counters : undefined);
    if (reading.kind !== "read" && !unreadable.has(reading.inum)) {
      unreadable.add(reading.inum);
      say(`Cannot read the counters of net:[${reading.inum}]: ${reading.reason}`);
    }
  }
  return all;
}

/** What moved, per namespace; one that is new has counted from 0, one that could not be read before says nothing yet. */
export function differences(
  before: CountersByNamespace,
  now: CountersByNamespace,
): readonly NamespaceCounts[] {
  const counts: NamespaceCounts[] = [];
  for (const [netns, counters] of now) {
    const last = before.get(netns);
    if (counters === undefined || (last === undefined && before.has(netns))) continue;
    // Another one under the number of one that is gone.
    const isNew = (last?.OutSegs ?? 0n) > (counters.OutSegs ?? 0n);
    const earlier = isNew ? undefined : last;
    const of = (name: keyof TcpCounters) => Number((counters[name] ?? 0n) - (earlier?.[name] ?? 0n));
    if (of("RetransSegs") === 0 && of("TCPTimeouts") === 0 && of("TCPLossProbes") === 0) continue;
    counts.push({ netns, of });
  }
  return counts;
}
