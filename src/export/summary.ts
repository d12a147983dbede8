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

/** One connection, as its retransmitting socket saw it. */
export interface ConnectionTally extends Tally {
  readonly ipVersion: 4 | 6;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly netns: number | undefined;
}

/** A summary at one moment. */
export interface SummaryView {
  readonly total: Tally;
  /** Most segments first. */
  readonly connections: readonly ConnectionTally[];
  /** Connections beyond the rows asked for; a folded one that came back counts again. */
  readonly other: { readonly connections: number; readonly tally: Tally };
  /** Most segments first. */
  readonly causes: readonly (readonly [Cause, Tally])[];
  /** Events whose segments the rung cannot tell: one each was assumed. */
  readonly assumed: number;
}

/** Connections held; when full, the smaller half goes into `other`. */
const MAX_CONNECTIONS = 4096;

/** Counts events per connection and per cause, in bounded memory. */
export class Summary {
  readonly #max: number;
  readonly #connections = new Map<string, ConnectionTally>();
  readonly #causes = new Map<Cause, Tally>();
  readonly #total = emptyTally();
  readonly #folded = emptyTally();
  #foldedConnections = 0;
  #assumed = 0;

  constructor({ maxConnections = MAX_CONNECTIONS }: { readonly maxConnections?: number } = {}) {
    this.#max = maxConnections;
  }

  add(event: TcpEvent, unixNanos: bigint): void {
    if (event.outcome === "sent" && event.segments === undefined) this.#assumed += 1;
    const cause = this.#causes.get(event.cause) ?? emptyTally();
    this.#causes.set(event.cause, cause);
    for (const tally of [cause, this.#total, this.#connection(event)]) count(tally, event, unixNanos);
  }

  /** What was counted so far, with at most `rows` connections by themselves. */
  view({ rows }: { readonly rows: number }): SummaryView {
    const sorted = [...this.#connections.values()].sort(bySegments);
    const tally = emptyTally();
    merge(tally, this.#folded);
    for (const connection of sorted.slice(rows)) merge(tally, connection);
    return {
      total: this.#total,
      connections: sorted.slice(0, rows),
      other: { connections: this.#foldedConnections + Math.max(0, sorted.length - rows), tally },
      causes: [...this.#causes].sort(([, a], [, b]) => bySegments(a, b)),
      assumed: this.#assumed,
    };
  }

  #connection({ socket }: TcpEvent): Tally {
    const { ipVersion, localAddress, localPort, peerAddress, peerPort, netns } = socket;
    const key = `${localAddress} ${localPort} ${peerAddress} ${peerPort} ${netns}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    if (this.#connections.size >= this.#max) this.#fold();
    const ends = { ipVersion, localAddress, localPort, peerAddress, peerPort, netns };
    const fresh: ConnectionTally = { ...ends, ...emptyTally() };
    this.#connections.set(key, fresh);
    return fresh;
  }

  #fold(): void {
    const sorted = [...this.#connections].sort(([, a], [, b]) => bySegments(a, b));
    for (const [key, connection] of sorted.slice(this.#max >> 1)) {
      merge(this.#folded, connection);
      this.#foldedConnections += 1;
      this.#connections.delete(key);
    }
  }
}

function emptyTally(): Tally {
  return { retransmits: 0, segments: 0, failed: 0, lossProbes: 0, types: new Map(), first: 0n, last: 0n };
}

function count(tally: Tally, event: TcpEvent, unixNanos: bigint): void {
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

function merge(into: Tally, from: Tally): void {
  into.retransmits += from.retransmits;
  into.segments += from.segments;
  into.failed += from.failed;
  into.lossProbes += from.lossProbes;
  for (const [cause, segments] of from.types) into.types.set(cause, (into.types.get(cause) ?? 0) + segments);
  if (from.first !== 0n && (into.first === 0n || from.first < into.first)) into.first = from.first;
  if (from.last > into.last) into.last = from.last;
}

function bySegments(a: Tally, b: Tally): number {
  return b.segments - a.segments || b.failed + b.lossProbes - (a.failed + a.lossProbes);
}
