import type { Cause, TcpEvent } from "../event/tcp-event.ts";

/** What was counted of a connection, a cause, or everything. */
export interface Tally {
  /** Retransmits that were sent, loss probes that retransmitted among them. */
  retransmits: number;
  /** Segments of those; one is assumed for an event whose segments are not known. */
  segments: number;
  /** Failed attempts. */
  failed: number;
  /** Tail loss probes, whatever became of them. */
  lossProbes: number;
  /** Segments by cause. */
  readonly types: Map<Cause, number>;
  /** Wall-clock time in nanoseconds since 1970. */
  first: bigint;
  last: bigint;
}

/** A tally of nothing. */
export function emptyTally(): Tally {
  return { retransmits: 0, segments: 0, failed: 0, lossProbes: 0, types: new Map(), first: 0n, last: 0n };
}

/** Adds an event at a wall-clock time in nanoseconds since 1970. */
export function countEvent(tally: Tally, event: TcpEvent, unixNanos: bigint): void {
  if (event.kind === "loss_probe") tally.lossProbes += 1;
  else if (event.outcome === "failed") tally.failed += 1;
  if (event.outcome === "sent") {
    const segments = event.segments ?? 1;
    tally.retransmits += 1;
    tally.segments += segments;
    tally.types.set(event.cause, (tally.types.get(event.cause) ?? 0) + segments);
  }
  if (tally.first === 0n || unixNanos < tally.first) tally.first = unixNanos;
  if (unixNanos > tally.last) tally.last = unixNanos;
}

/** Adds what was counted elsewhere. */
export function mergeTally(into: Tally, from: Tally): void {
  into.retransmits += from.retransmits;
  into.segments += from.segments;
  into.failed += from.failed;
  into.lossProbes += from.lossProbes;
  for (const [cause, segments] of from.types) into.types.set(cause, (into.types.get(cause) ?? 0) + segments);
  if (from.first !== 0n && (into.first === 0n || from.first < into.first)) into.first = from.first;
  if (from.last > into.last) into.last = from.last;
}

/** Most segments first. */
export function bySegments(a: Tally, b: Tally): number {
  return b.segments - a.segments || b.failed + b.lossProbes - (a.failed + a.lossProbes);
}
