import { ATTRIBUTION_METHODS, type AttributionMethod, type EnrichedEvent } from "../event/end-name.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { type Connection, ConnectionMemory, lastHeard } from "./connection-memory.ts";
import { endsMemory } from "./ends-memory.ts";
import { GivenUp } from "./given-up.ts";
import { findLocal } from "./local-end.ts";
import type { LocalFinding } from "./local-parts.ts";
import type { NameSources, NamespaceOwner } from "./lookups.ts";
import { AWAITS_CLUSTER, AWAITS_COMPLETE, type Lists, type Moment } from "./moment.ts";
import { findPeer } from "./peer-end.ts";
import type { PeerFinding } from "./peer-parts.ts";
import { type Waiting, WaitingRoom } from "./waiting-room.ts";

export interface EnricherOptions {
  readonly sources: NameSources;
  /** Unix time in ms of a time of the trace clock, fractions kept. */
  readonly unixMs: (time: TraceNanos) => number;
}

/** What became of the events. */
export interface EnrichCounts {
  /** Events of this node, and those that may be another's on the same kernel; both are shown. */
  own: number;
  undetermined: number;
  /** Events of another node on the same kernel: left out. */
  foreign: number;
  /** Ends of shown events by how they were found. */
  readonly local: Record<AttributionMethod, number>;
  readonly peer: Record<AttributionMethod, number>;
  /** Ends of shown events that have no name. */
  unknownLocal: number;
  unknownPeer: number;
  /** Events that waited for a name, those behind the first of their socket too. */
  waited: number;
  /** Of these, those that went on without what they waited for: after the longest wait, or at the end. */
  gaveUp: number;
  /** Of these, those that had to make room for others. */
  overflow: number;
}

/** The longest wait for a name, and how many events wait at most. */
const MAX_WAIT_NANOS = 2e9;
const MAX_WAITING = 1000;
/**
 * So much of a wait is up with one tick at most: what the API server has told while this process did not get to run lies in its
 * sockets still, and is read only after the tick that comes late.
 */
const LATE_TICK_NANOS = 250e6;
/** In a storm ticks follow each other at once: those that wait are looked at again only so often. */
const RETRY_NANOS = 10e6;
/** What was waited for in vain is not waited for again until nobody has asked for it for so long. */
const FORGET_NANOS = 60e9;

/** Puts names to both ends of events, and leaves out those of other nodes. Time is the trace's own: it has no timer. */
export class Enricher {
  readonly counts: EnrichCounts = {
    own: 0,
    undetermined: 0,
    foreign: 0,
    local: noMethods(),
    peer: noMethods(),
    unknownLocal: 0,
    unknownPeer: 0,
    waited: 0,
    gaveUp: 0,
    overflow: 0,
  };
  readonly #options: EnricherOptions;
  readonly #room = new WaitingRoom();
  readonly #connections = new ConnectionMemory();
  readonly #givenUp = new GivenUp(FORGET_NANOS);
  readonly #sameEnds = endsMemory();
  #retriedAt = Number.NEGATIVE_INFINITY;
  #tickedAt = Number.POSITIVE_INFINITY;
  /** How long names have been waited for, in nanoseconds, by all ticks. */
  #waitedNanos = 0;
  #lists: Lists = { complete: false, pending: true };

  constructor(options: EnricherOptions) {
    this.#options = options;
  }

  /** Events that wait for a name now. */
  get waiting(): number {
    return this.#room.size;
  }

  /**
   * The events of a tick up to a watermark, with those that have waited long enough, in the order of their times. To be
   * called each tick, with or without events.
   */
  enrich(events: readonly TcpEvent[], watermark: TraceNanos): readonly EnrichedEvent[] {
    this.#lists = listsOf(this.#options.sources);
    if (!this.#lists.pending) this.#givenUp.forget(AWAITS_CLUSTER);
    if (this.#lists.complete) this.#givenUp.forget(AWAITS_COMPLETE);
    this.#waitedNanos += Math.min(Math.max(0, watermark - this.#tickedAt), LATE_TICK_NANOS);
    this.#tickedAt = watermark;
    const released: EnrichedEvent[] = [];
    if (this.#room.size > 0 && watermark - this.#retriedAt >= RETRY_NANOS) {
      this.#retriedAt = watermark;
      const missing = new Set<string>();
      this.#room.release((waiting) => this.#retry(waiting, { now: watermark, missing, released }));
    }
    const settled: EnrichedEvent[] = [];
    for (const event of events) {
      // One that comes behind another of its socket waits for the same.
      const isBehind = this.#room.size > 0 && this.#room.holds(event);
      const finding = isBehind ? undefined : this.#find(event);
      if (finding === undefined || this.#shouldWait(finding, watermark)) {
        const awaits = finding === undefined ? [] : awaited(finding);
        this.#wait({ event, since: this.#waitedNanos, awaits, space: this.#podOf(event) }, released);
      } else this.#settle(event, finding, settled);
    }
    return released.length === 0 ? settled : mergeByTime(released, settled);
  }

  /** The events that still wait, with what is known of them now. */
  end(): readonly EnrichedEvent[] {
    this.#lists = listsOf(this.#options.sources);
    const released: EnrichedEvent[] = [];
    this.#room.release(({ event, space }) => {
      const finding = this.#find(event, space);
      if (awaits(finding)) this.counts.gaveUp++;
      this.#settle(event, finding, released);
      return true;
    });
    return released;
  }

  #find(event: TcpEvent, space?: NamespaceOwner): Finding {
    const connection = this.#connections.of(event);
    const moment = this.#momentOf(event, connection, space);
    const local = findLocal(event.socket, moment);
    if (local.ownership === "foreign") return { local, peer: undefined };
    const peer = findPeer(event.socket, local.end, moment);
    connection.translation = peer.translation;
    return { local, peer };
  }

  /** The pod whose network namespace a socket is in now, as its number tells. */
  #podOf({ socket: { netns } }: TcpEvent): NamespaceOwner | undefined {
    const space = netns === undefined ? undefined : this.#options.sources.host.namespace(netns);
    return space?.kind === "pod" ? space : undefined;
  }

  #momentOf(event: TcpEvent, connection: Connection, space: NamespaceOwner | undefined): Moment {
    const { since, wasClosing, heard, translation } = connection;
    const { sources, unixMs } = this.#options;
    return {
      unixMs: unixMs(event.time),
      sinceMs: unixMs(since),
      wasClosing,
      heard:
        heard === undefined
          ? undefined
          : { firstMs: unixMs(heard), lastMs: unixMs(lastHeard(event) ?? heard) },
      translation,
      space,
      sources,
      lists: this.#lists,
    };
  }

  #shouldWait({ local, peer }: Finding, now: number): boolean {
    if (local.awaits !== undefined && !this.#givenUp.has(local.awaits, now)) return true;
    return peer?.awaits !== undefined && !this.#givenUp.has(peer.awaits, now);
  }

  #wait(waiting: Waiting, released: EnrichedEvent[]): void {
    if (this.#room.size >= MAX_WAITING) {
      const oldest = this.#room.takeOldest();
      if (oldest !== undefined) {
        this.counts.overflow++;
        this.#settle(oldest.event, this.#find(oldest.event, oldest.space), released);
      }
    }
    this.#room.add(waiting);
    this.counts.waited++;
  }

  #retry(waiting: Waiting, { now, missing, released }: Round): boolean {
    const { event, since } = waiting;
    const isLate = this.#waitedNanos - since >= MAX_WAIT_NANOS;
    // Many may wait for one thing: it is looked for once a round.
    if (!isLate && waiting.awaits.some((what) => missing.has(what))) return false;
    const finding = this.#find(event, waiting.space);
    if (awaits(finding)) {
      if (!isLate && this.#shouldWait(finding, now)) {
        waiting.awaits = awaited(finding);
        for (const what of waiting.awaits) missing.add(what);
        return false;
      }
      this.counts.gaveUp++;
      if (isLate) this.#giveUp(finding, now);
    }
    this.#settle(event, finding, released);
    return true;
  }

  #giveUp({ local, peer }: Finding, now: number): void {
    if (local.awaits !== undefined) this.#givenUp.add(local.awaits, now);
    if (peer?.awaits !== undefined) this.#givenUp.add(peer.awaits, now);
  }

  #settle(event: TcpEvent, { local, peer }: Finding, into: EnrichedEvent[]): void {
    const { counts } = this;
    const { ownership } = local;
    counts[ownership]++;
    if (ownership === "foreign" || peer === undefined) return;
    counts.local[local.end.method]++;
    counts.peer[peer.end.method]++;
    if (local.end.kind === "unknown") counts.unknownLocal++;
    if (peer.end.kind === "unknown") counts.unknownPeer++;
    const ends = this.#sameEnds(event.socket, { ownership, local: local.end, peer: peer.end });
    into.push({ event, ends });
  }
}

interface Finding {
  readonly local: LocalFinding;
  /** Undefined for a foreign event: nobody will see it. */
  readonly peer: PeerFinding | undefined;
}

/** One look at all that waits. */
interface Round {
  readonly now: number;
  /** What was looked for in this round, and is not there yet. */
  readonly missing: Set<string>;
  readonly released: EnrichedEvent[];
}

function awaited({ local, peer }: Finding): readonly string[] {
  return [local.awaits, peer?.awaits].filter((what) => what !== undefined);
}

function awaits({ local, peer }: Finding): boolean {
  return local.awaits !== undefined || peer?.awaits !== undefined;
}

function listsOf({ cluster: { complete, pending } }: NameSources): Lists {
  return { complete, pending };
}

function noMethods(): Record<AttributionMethod, number> {
  return Object.fromEntries(ATTRIBUTION_METHODS.map((method) => [method, 0])) as Record<
    AttributionMethod,
    number
  >;
}

/** Two lists, each in the order of its times, as one; the first list's come first at the same time. */
function mergeByTime(
  first: readonly EnrichedEvent[],
  second: readonly EnrichedEvent[],
): readonly EnrichedEvent[] {
  const merged: EnrichedEvent[] = [];
  let i = 0;
  for (const late of second) {
    for (
      let early = first[i];
      early !== undefined && early.event.time <= late.event.time;
      early = first[++i]
    ) {
      merged.push(early);
    }
    merged.push(late);
  }
  return merged.concat(first.slice(i));
}
