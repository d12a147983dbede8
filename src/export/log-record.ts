import type { EnrichedEvent } from "../event/end-name.ts";
import { TCP_CA_STATE_NAMES } from "../event/kernel-tcp.ts";
import type { SocketFields, TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import {
  ATTRIBUTES as A,
  type AttributeValue,
  EVENT_NAMES,
  exactInteger,
  type StackNames,
} from "./attributes.ts";
import { eventAttributes } from "./event-attributes.ts";
import { formatError } from "./format-error.ts";
import type { LogEntry, SpanIds } from "./log-entry.ts";
import { type RecordConnection, recordConnections } from "./log-record-connection.ts";
import { resourcePod } from "./resource-pod.ts";
import { outcomeText } from "./table.ts";

export interface LogRecordOptions {
  /** Unix time in ns of a time of the trace clock. */
  readonly unixNanos: (time: TraceNanos) => bigint;
  /** Present: with the names of the kernel stack's functions. */
  readonly stackNames?: StackNames | undefined;
}

/** Makes the record of an event, and the span's ids that it carries. */
export type MakeLogRecord = (enriched: EnrichedEvent, context: SpanIds | undefined) => LogEntry;

/** Makes log records of events; what is of the connection alone is made once for many. */
export function logRecordMaker({ unixNanos, stackNames }: LogRecordOptions): MakeLogRecord {
  const connections = recordConnections();
  return ({ event, ends }, context) => {
    const timeUnixNanos = unixNanos(event.time);
    const connection = connections(event.socket, ends);
    const quick = stackNames === undefined ? quickAttributes(event, connection) : undefined;
    return {
      eventName: EVENT_NAMES[event.kind],
      timeUnixNanos,
      body: bodyOf(event, connection),
      attributes: quick ?? anyAttributes({ event, ends }, { timeUnixNanos, stackNames }),
      pod: resourcePod(ends),
      context,
    };
  };
}

/** `10.0.1.2:443 R> 10.0.2.3:51234 ESTABLISHED timeout default/web-0 -> svc default/db (default/db-1)`. */
function bodyOf(event: TcpEvent, { local, peer, names }: RecordConnection): string {
  const packet = event.kind === "retransmit" ? "R>" : "L>";
  const outcome = event.outcome === "sent" ? "" : ` ${outcomeText(event)}`;
  return `${local} ${packet} ${peer} ${event.cause}${outcome}${names}`;
}

/** An event's attributes without its time and name, which a record has fields of its own for. */
function anyAttributes(
  { event, ends }: EnrichedEvent,
  {
    timeUnixNanos,
    stackNames,
  }: { readonly timeUnixNanos: bigint; readonly stackNames: StackNames | undefined },
): Readonly<Record<string, AttributeValue>> {
  const all = eventAttributes(event, timeUnixNanos, { ends, stackNames });
  const { [A.timestamp]: _time, [A.eventName]: _name, ...rest } = all;
  return rest;
}

/**
 * The attributes of the two kinds of event that there are most of; undefined for others. Each is one object literal: keys
 * that are added one by one, or taken from a list, make the object a hash table and cost fifteen times as much.
 */
function quickAttributes(
  event: TcpEvent,
  { attributes }: RecordConnection,
): Readonly<Record<string, AttributeValue>> | undefined {
  const { segments, socket, cause, outcome, pid, rung } = event;
  if (formatError(event.error) !== undefined) return undefined;
  if (segments === undefined) {
    if (!isBare(socket)) return undefined;
    return { ...attributes, [A.retransmitType]: cause, [A.outcome]: outcome, [A.pid]: pid, [A.rung]: rung };
  }
  const caState = TCP_CA_STATE_NAMES[socket.caState ?? -1];
  if (caState === undefined || !isWhole(socket)) return undefined;
  const { srtt } = socket;
  const whole = {
    ...attributes,
    [A.retransmitType]: cause,
    [A.outcome]: outcome,
    [A.segments]: segments,
    [A.retransmitCount]: socket.retransmits,
    [A.backoff]: socket.backoff,
    [A.rto]: socket.rto,
    [A.cwnd]: socket.cwnd,
    [A.mss]: socket.mss,
    [A.packetsOut]: socket.packetsOut,
    [A.retransOut]: socket.retransOut,
    [A.lostOut]: socket.lostOut,
    [A.totalRetrans]: socket.totalRetrans,
    [A.bytesRetrans]: exactInteger(socket.bytesRetrans),
    [A.seq]: socket.seq,
    [A.endSeq]: socket.endSeq,
    [A.flags]: socket.tcpFlags,
    [A.caState]: caState,
    [A.netns]: socket.netns,
    [A.cgroupId]: socket.cgroupId.toString(),
    [A.pid]: pid,
    [A.rung]: rung,
  };
  return srtt === undefined ? whole : { ...whole, [A.srtt]: srtt };
}

/** The fields of a socket that have an attribute each, but for its congestion state and its round-trip time, which a SYN has not. */
const FIELDS = [
  "retransmits",
  "backoff",
  "rto",
  "cwnd",
  "mss",
  "packetsOut",
  "retransOut",
  "lostOut",
  "totalRetrans",
  "bytesRetrans",
  "seq",
  "endSeq",
  "tcpFlags",
  "netns",
  "cgroupId",
] as const;
type Field = (typeof FIELDS)[number];

function isWhole(
  socket: SocketFields,
): socket is SocketFields & { readonly [K in Field]: NonNullable<SocketFields[K]> } {
  for (const field of FIELDS) if (socket[field] === undefined) return false;
  return true;
}

/** A socket of which nothing is told but its ends and its state, as on the rung `tracepoint`. */
function isBare(socket: SocketFields): boolean {
  for (const field of FIELDS) if (socket[field] !== undefined) return false;
  return socket.caState === undefined && socket.srtt === undefined;
}
