import {
  ICSK_TIME_LOSS_PROBE,
  TCP_CA_OPEN,
  TCP_CA_RECOVERY,
  TCP_NEW_SYN_RECV,
  TCP_SYN_RECV,
  TCP_SYN_SENT,
} from "../event/kernel-tcp.ts";
import type { Cause, SocketFields, TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { hasSameEnds } from "./by-connection.ts";

/** What the events of an episode so far say of its connection. */
export interface SeenSoFar {
  /** At the last event. */
  readonly socket: SocketFields;
  readonly lastTime: TraceNanos;
  /** It has been in Recovery or Loss. */
  readonly wasInRecovery: boolean;
  /** Sequence number after all that it retransmitted; undefined where none was told. */
  readonly maxEnd: number | undefined;
}

/** Whether a socket has not finished its handshake. */
export function isOpening({ state }: SocketFields): boolean {
  return state === TCP_SYN_SENT || state === TCP_SYN_RECV || state === TCP_NEW_SYN_RECV;
}

/** Whether sequence number `a` comes after `b` (include/net/tcp.h, `after()`): they wrap at 2^32. */
export function sequenceAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** Whether an event is of another connection, which has its socket's place in the kernel's memory. */
export function isOtherConnection({ socket: before }: SeenSoFar, { socket }: TcpEvent): boolean {
  if (!hasSameEnds(before, socket)) return true;
  if (!isOpening(socket)) return false;
  if (!isOpening(before)) return true;
  // A SYN has the same sequence number each time.
  return socket.state === TCP_SYN_SENT && before.state === TCP_SYN_SENT && socket.seq !== before.seq;
}

/**
 * Whether an event shows that everything that was retransmitted before it is acknowledged, selectively at least, and that
 * the connection has left the loss behind: if it is a retransmit, it begins another one.
 */
export function showsRecovery(before: SeenSoFar, event: TcpEvent): boolean {
  const { socket, cause, outcome } = event;
  if (isOpening(before.socket)) return !isOpening(socket);
  const { seq, retransOut, caState, pending, rto } = socket;
  if (event.kind === "loss_probe") {
    // A probe is armed in Open and CWR (tcp_schedule_loss_probe); in Open nothing that was retransmitted is outstanding.
    if (before.wasInRecovery) return caState === TCP_CA_OPEN || caState === undefined;
    // One probe is outstanding at a time: in Open, what ended the one before acknowledged all (tcp_process_tlp_ack).
    return caState === TCP_CA_OPEN && (outcome === "sent" || outcome === "new_data");
  }
  if (seq === undefined || before.maxEnd === undefined || sequenceAfter(before.maxEnd, seq)) return false;
  if (isOfHead(cause)) return true;
  if (retransOut !== 0) return false;
  // The timer of a probe, armed before Recovery: this is the first retransmit in it. Or nothing was sent again for long.
  if (caState === TCP_CA_RECOVERY && pending === ICSK_TIME_LOSS_PROBE) return true;
  return rto !== undefined && event.time - before.lastTime > rto * 1e9;
}

/** Whether the kernel retransmits the first byte that is not acknowledged, and no other (tcp_retransmit_timer). */
export function isOfHead(cause: Cause): boolean {
  return cause === "timeout" || cause === "window_probe";
}

/** Whether a socket is in Recovery or Loss at an event; on the rung that does not tell, by its cause. */
export function isInRecovery({ socket, cause }: TcpEvent): boolean {
  if (socket.caState !== undefined) return socket.caState >= TCP_CA_RECOVERY;
  return IN_RECOVERY.has(cause);
}

const IN_RECOVERY: ReadonlySet<Cause> = new Set([
  "timeout",
  "window_probe",
  "fast",
  "slow_start",
  "reordering",
  "mtu",
] as const);
