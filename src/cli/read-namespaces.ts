import { traceNanos } from "../event/trace-nanos.ts";
import type { CounterReading, NamespaceCounterReader } from "../host/namespace-counters.ts";
import { listNetworkNamespaces } from "../host/network-namespaces.ts";
import type { TcpCounters } from "../host/tcp-counters.ts";
import type { NamespaceRead } from "../reconcile/observed-window.ts";

/** A namespace's counters with the times of the read, more of them than are compared. */
export interface CountersRead extends NamespaceRead {
  readonly counters: TcpCounters | { readonly missing: string };
}

export interface ReadNamespacesOptions {
  readonly procRoot: string;
  /** CLOCK_MONOTONIC at the capture's epoch, in nanoseconds: what TraceNanos count from. */
  readonly epochNanos: bigint;
}

/** Reads the TCP counters of every network namespace of the host, in the capture's time. */
export async function readNamespaces(
  reader: NamespaceCounterReader,
  { procRoot, epochNanos }: ReadNamespacesOptions,
): Promise<readonly CountersRead[]> {
  const since = (nanos: bigint) => traceNanos(Number(nanos - epochNanos));
  const reads: CountersRead[] = [];
  for (const namespace of listNetworkNamespaces({ procRoot })) {
    let reading = await reader.read(namespace);
    if (reading.kind === "unreadable") {
      // The process that we chose may have ended: ask for another way in, once.
      const again = listNetworkNamespaces({ procRoot }).find(({ inum }) => inum === namespace.inum);
      if (again === undefined) continue;
      reading = await reader.read(again);
    }
    reads.push(namespaceRead(reading, since));
  }
  return reads;
}

function namespaceRead(
  reading: CounterReading,
  since: (nanos: bigint) => NamespaceRead["from"],
): CountersRead {
  if (reading.kind === "read") {
    const { inum, counters, from, until } = reading;
    return { netns: inum, counters, from: since(from), until: since(until) };
  }
  const now = since(process.hrtime.bigint());
  return { netns: reading.inum, counters: { missing: reading.reason }, from: now, until: now };
}
