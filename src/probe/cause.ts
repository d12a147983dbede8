import {
  ICSK_TIME_LOSS_PROBE,
  ICSK_TIME_REO_TIMEOUT,
  TCP_CA_LOSS,
  TCP_CA_RECOVERY,
  TCP_NEW_SYN_RECV,
  TCP_SYN_RECV,
  TCP_SYN_SENT,
  TCPHDR_SYN,
} from "../event/kernel-tcp.ts";
import type { Cause } from "../event/tcp-event.ts";
import type { ProbeRecord } from "./probe-record.ts";

/** The function that is known to be running, from a probe on its entry and return or from the stack. */
export type Scope = "reordering" | "mtu" | undefined;

/**
 * Names the cause from the socket's fields (net/ipv4/tcp_timer.c and tcp_input.c, 5.10 to 7.2).
 * The timer clears `icsk_pending` before it retransmits, but leaves it at 5 during a loss probe and at 6 during the
 * reordering timer; work driven by an ACK always has a timer pending. A pending 6 alone does not mean the reordering timer,
 * and Loss with a timer pending does not mean an MTU change: those need their scope.
 */
export function causeOf(record: ProbeRecord, scope: Scope): Cause {
  const socket = record.socket;
  if (socket === undefined) return "other";
  const { state, caState, pending, tcpFlags } = socket;
  if (state === TCP_NEW_SYN_RECV) return "syn_ack";
  if (state === TCP_SYN_SENT) return "syn";
  if (state === TCP_SYN_RECV && tcpFlags !== undefined && (tcpFlags & TCPHDR_SYN) !== 0) return "syn_ack";
  if (caState === undefined || pending === undefined) return "other";
  if (pending === ICSK_TIME_LOSS_PROBE && caState < TCP_CA_RECOVERY) return "tail_loss_probe";
  if (caState === TCP_CA_LOSS) {
    if (pending !== 0) return scope === "mtu" ? "mtu" : "slow_start";
    // A window that closed over data in flight: not a loss, and in no counter of timeouts (tcp_retransmit_timer).
    const windowClosed = record.sndWnd === 0 && !record.dead && state !== TCP_SYN_RECV;
    return windowClosed ? "window_probe" : "timeout";
  }
  if (caState === TCP_CA_RECOVERY) {
    return scope === "reordering" && pending === ICSK_TIME_REO_TIMEOUT ? "reordering" : "fast";
  }
  return "other";
}
