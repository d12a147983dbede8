import type { TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { isOfHead, isOpening, sequenceAfter } from "./episode-evidence.ts";

/** For how long data that was retransmitted stayed unacknowledged, in seconds; what bounds it from above may not be known. */
export interface Stall {
  readonly min: number;
  readonly max: number | undefined;
}

/** A connection since it retransmitted data that no event has shown to be acknowledged. */
export interface Standstill {
  readonly since: TraceNanos;
  /** First sequence number of that data; undefined of a handshake on a rung that does not tell. */
  readonly seq: number | undefined;
  readonly isHandshake: boolean;
  /** Seconds of waits before, between timeouts that were not seen. */
  readonly waitedBefore: number;
  /** Last event at which it was unacknowledged, certainly. */
  stillAt: TraceNanos;
  /** First event at which a timeout sent it. */
  timeoutAt: TraceNanos | undefined;
  /** `icsk_retransmits` at the last of those. */
  timeouts: number;
}

/** Begins at a retransmit; undefined where the event does not tell what it sent. */
export function beginStandstill(event: TcpEvent): Standstill | undefined {
  const { socket, time } = event;
  const isHandshake = isOpening(socket);
  if (socket.seq === undefined && !isHandshake) return undefined;
  const standstill: Standstill = {
    since: time,
    seq: socket.seq,
    isHandshake,
    waitedBefore: waitedBefore(event),
    stillAt: time,
    timeoutAt: undefined,
    timeouts: 0,
  };
  noteTimeout(standstill, event);
  return standstill;
}

/** What a later event of the connection says of the data. */
export function judge(
  standstill: Standstill,
  event: TcpEvent,
): "acknowledged" | "unacknowledged" | "not told" {
  const { socket, cause } = event;
  if (standstill.isHandshake) return isOpening(socket) ? "unacknowledged" : "acknowledged";
  // Every acknowledgement of new data sets the count of timeouts to 0 (tcp_ack).
  if (socket.retransmits !== undefined && socket.retransmits < standstill.timeouts) return "acknowledged";
  if (socket.seq === undefined || standstill.seq === undefined) return "not told";
  // Nothing is sent again from before the first byte that is not acknowledged.
  if (!sequenceAfter(socket.seq, standstill.seq)) return "unacknowledged";
  // What is lost is sent again from the lowest sequence number on.
  return isOfHead(cause) || socket.retransOut === 0 ? "acknowledged" : "not told";
}

/** Takes an event at which the data is unacknowledged. */
export function goOn(standstill: Standstill, event: TcpEvent): void {
  standstill.stillAt = event.time;
  noteTimeout(standstill, event);
}

/** The bounds, where an event at `endedBy` shows the acknowledgement, or nothing does. */
export function stallOf(
  { since, stillAt, waitedBefore }: Standstill,
  endedBy: TraceNanos | undefined,
): Stall {
  const hasBegunBefore = waitedBefore > 0;
  return {
    min: (stillAt - since) / 1e9 + waitedBefore,
    max: endedBy === undefined || hasBegunBefore ? undefined : (endedBy - since) / 1e9,
  };
}

/** The longer of two, by what is certain. */
export function longerStall(a: Stall | undefined, b: Stall): Stall {
  return a === undefined || b.min > a.min ? b : a;
}

function noteTimeout(standstill: Standstill, { socket, cause, time }: TcpEvent): void {
  if ((cause !== "timeout" && cause !== "syn") || socket.seq !== standstill.seq) return;
  standstill.timeoutAt ??= time;
  standstill.timeouts = socket.retransmits ?? 0;
}

/**
 * At least so many seconds lie between the first of the timeouts in a row and this one: before each the kernel waited for
 * the RTO, half of it before the one before, as often as it was doubled (`icsk_backoff`).
 */
function waitedBefore({ socket, cause }: TcpEvent): number {
  const { retransmits = 0, backoff = 0, rto = 0 } = socket;
  if (cause !== "timeout" && cause !== "syn") return 0;
  const waits = Math.min(backoff, retransmits - 1);
  let seconds = 0;
  for (let i = 0; i < waits; i++) seconds += rto / 2 ** i;
  return seconds;
}
