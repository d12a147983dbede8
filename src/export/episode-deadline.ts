import { TCP_SYN_SENT } from "../event/kernel-tcp.ts";
import type { Cause, TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import type { Standstill } from "./episode-stall.ts";

/** Names may hold an event back for 2 s: it comes that much later than its time. */
const LATE_NANOS = 2.5e9;
/** The timer wheel rounds a timeout up by an eighth (kernel/time/timer.c), and a busy CPU may add to it. */
const TIMER_SLACK = 1.25;
const TIMER_SLACK_NANOS = 1e9;
/** TCP_RTO_MAX (include/net/tcp.h). */
const RTO_MAX = 120;

/** The kernel's default net.ipv4.tcp_syn_retries, and the seconds that it makes of net.ipv4.tcp_retries2 (tcp_model_timeout). */
const SYN_RETRIES = 6;
const RETRIES2_SECONDS = 924.6;

/** Seconds to the kernel's next try after an event, where none of it is acknowledged; `gap`: seconds since the event before. */
function nextTry({ socket, cause }: TcpEvent, gap: number): number {
  const isTimer = TIMERS.has(cause);
  if (socket.rto !== undefined) return Math.min(isTimer ? 2 * socket.rto : socket.rto, RTO_MAX);
  return isTimer ? Math.min(2 * gap, RTO_MAX) : 0;
}

const TIMERS: ReadonlySet<Cause> = new Set(["timeout", "syn", "syn_ack", "window_probe"] as const);

/** When a connection is quiet: nothing came of it for so many seconds, nor when the kernel would have tried again. */
export function quietAt(event: TcpEvent, before: TraceNanos, quietSeconds: number): number {
  const tryNanos = nextTry(event, (event.time - before) / 1e9) * 1e9 * TIMER_SLACK + TIMER_SLACK_NANOS;
  return event.time + Math.max(quietSeconds * 1e9, tryNanos) + LATE_NANOS;
}

/**
 * Whether the kernel, with its default limits, gave up instead of trying again: after this last event, at which the data
 * was unacknowledged, the number of SYNs or the time since the first timeout was used up.
 */
export function isUsedUp({ timeoutAt, stillAt, waitedBefore }: Standstill, last: TcpEvent): boolean {
  const { socket, cause, time } = last;
  if (stillAt !== time || timeoutAt === undefined) return false;
  if (socket.state === TCP_SYN_SENT) {
    // Since 6.5 the first timeouts are not doubled, and come on top (net.ipv4.tcp_syn_linear_timeouts).
    return (socket.backoff ?? 0) + 1 >= SYN_RETRIES;
  }
  if (cause !== "timeout" || socket.rto === undefined) return false;
  return (time - timeoutAt) / 1e9 + waitedBefore + nextTry(last, 0) >= RETRIES2_SECONDS;
}
