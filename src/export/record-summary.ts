import type { Ends, EnrichedEvent } from "../event/end-name.ts";
import type { SocketKey, TcpEvent } from "../event/tcp-event.ts";
import { hasSameEnds } from "./by-connection.ts";
import { countEvent, type EventCounts, emptyCounts } from "./event-counts.ts";
import { localEndKey } from "./local-end-key.ts";
import type { SpanIds } from "./log-entry.ts";

/** Whose events a summary stands for: one connection's, a pod's other ones', or the node's other ones. */
export type SummaryScope = "connection" | "pod" | "node";

/** Events that have no record of their own. */
export interface RecordSummary {
  readonly scope: SummaryScope;
  readonly counts: EventCounts;
  /** Different connections: all of them, or at least so many where the bound of counting was met. */
  connections: number;
  /** The latest event, for what it says of the connection or of the local end. */
  latest: TcpEvent;
  ends: Ends | undefined;
  context: SpanIds | undefined;
}

export interface RecordSummariesOptions {
  /** Connections with a summary each in a window. */
  readonly maxConnections?: number;
  /** Local ends whose other connections have a summary together; those of more have one for the node. */
  readonly maxPods?: number;
  /** Connections in the coarser summaries that are told apart: more are summed up, but not counted. */
  readonly maxCounted?: number;
}

const MAX_CONNECTIONS = 1000;
const MAX_PODS = 100;
const MAX_COUNTED = 16_384;

/** Sums up events by connection in bounded memory, losing none: what has no room is summed up more coarsely. */
export class RecordSummaries {
  readonly #options: Required<RecordSummariesOptions>;
  #all: RecordSummary[] = [];
  #events = 0;
  /** The last summary of each socket, of those in coarser ones at most `maxCounted`. */
  readonly #bySocket = new Map<SocketKey, RecordSummary>();
  readonly #byPod = new Map<object | string, RecordSummary>();
  #ofNode: RecordSummary | undefined;

  constructor({
    maxConnections = MAX_CONNECTIONS,
    maxPods = MAX_PODS,
    maxCounted = MAX_COUNTED,
  }: RecordSummariesOptions = {}) {
    this.#options = { maxConnections, maxPods, maxCounted };
  }

  /** Summaries so far. */
  get size(): number {
    return this.#all.length;
  }

  /** Events in them. */
  get events(): number {
    return this.#events;
  }

  add(enriched: EnrichedEvent, context: SpanIds | undefined): void {
    const { event, ends } = enriched;
    const known = this.#bySocket.get(event.socket.key);
    const summary = known !== undefined && belongs(enriched, known) ? known : this.#summaryOf(enriched);
    this.#events++;
    countEvent(summary.counts, event);
    if (event.time < summary.counts.last) return;
    summary.latest = event;
    summary.ends = ends;
    summary.context = context;
  }

  /** Ends the window: its summaries, those of connections first. */
  take(): readonly RecordSummary[] {
    const all = this.#all;
    this.#all = [];
    this.#events = 0;
    this.#bySocket.clear();
    this.#byPod.clear();
    this.#ofNode = undefined;
    return all;
  }

  #summaryOf(enriched: EnrichedEvent): RecordSummary {
    const { maxConnections, maxCounted } = this.#options;
    const hasRoom = this.#all.length < maxConnections;
    const summary = hasRoom ? this.#begin("connection", enriched) : this.#coarser(enriched);
    if (hasRoom || this.#bySocket.size < maxConnections + maxCounted) {
      this.#bySocket.set(enriched.event.socket.key, summary);
      summary.connections++;
    }
    return summary;
  }

  #coarser(enriched: EnrichedEvent): RecordSummary {
    const key = localEndKey(enriched.ends);
    const known = this.#byPod.get(key);
    if (known !== undefined) return known;
    if (this.#byPod.size >= this.#options.maxPods) {
      this.#ofNode ??= this.#begin("node", enriched);
      return this.#ofNode;
    }
    const summary = this.#begin("pod", enriched);
    this.#byPod.set(key, summary);
    return summary;
  }

  #begin(scope: SummaryScope, { event, ends }: EnrichedEvent): RecordSummary {
    const summary: RecordSummary = {
      scope,
      counts: emptyCounts(event),
      connections: 0,
      latest: event,
      ends,
      context: undefined,
    };
    this.#all.push(summary);
    return summary;
  }
}

/** Whether an event is one of those that its socket's summary stands for: another connection may have the socket's place. */
function belongs({ event, ends }: EnrichedEvent, { scope, latest, ends: its }: RecordSummary): boolean {
  switch (scope) {
    case "connection":
      return hasSameEnds(latest.socket, event.socket);
    case "pod":
      return localEndKey(its) === localEndKey(ends);
    case "node":
      return true;
  }
}
