import { TCP_CA_LOSS, TCP_CA_RECOVERY, TCP_SYN_SENT } from "../event/kernel-tcp.ts";
import type { Cause } from "../event/tcp-event.ts";
import type { Scope } from "./cause.ts";

/** One of them is on the stack of every retransmit: the compiler inlines either into the other. */
const RETRANSMIT_FUNCTIONS = ["__tcp_retransmit_skb", "tcp_retransmit_skb"] as const;

/**
 * Where the call that retransmits came from: an acknowledgement, a softirq (`__do_softirq` before 6.9), a socket that its task
 * gives back. Farther out stands what a softirq interrupted, which may be a retransmit too.
 */
const ENTRIES: ReadonlySet<string> = new Set(["tcp_ack", "handle_softirqs", "__do_softirq", "release_sock"]);

/** The functions that tell causes apart when they are on the stack. */
export const CAUSE_FUNCTIONS = [
  ...RETRANSMIT_FUNCTIONS,
  ...ENTRIES,
  "tcp_send_loss_probe",
  "tcp_retransmit_timer",
  "tcp_rack_reo_timeout",
  "tcp_simple_retransmit",
  "tcp_non_congestion_loss_retransmit",
] as const;

/** Finds which of the two functions that fields cannot tell has called. */
export function scopeOfStack(stack: readonly string[]): Scope {
  const functions = ownCall(stack);
  if (functions.includes("tcp_rack_reo_timeout")) return "reordering";
  if (functions.includes("tcp_simple_retransmit") || functions.includes("tcp_non_congestion_loss_retransmit"))
    return "mtu";
  return undefined;
}

/** All that a stack tells of the cause; `undefined` where it is not the stack of a retransmit. */
export type StackTelling = "loss probe" | "timer" | "mtu" | "reordering" | "acknowledgement" | undefined;

/** What a stack tells: the same for every record that has it. */
export function tellingOfStack(stack: readonly string[]): StackTelling {
  const functions = ownCall(stack);
  // Not the stack of a retransmit: it was lost, or belongs to a record beside this one.
  if (!RETRANSMIT_FUNCTIONS.some((name) => functions.includes(name))) return undefined;
  if (functions.includes("tcp_send_loss_probe")) return "loss probe";
  if (functions.includes("tcp_retransmit_timer")) return "timer";
  return scopeOfStack(functions) ?? "acknowledgement";
}

/**
 * Names the cause from the kernel stack at tcp:tcp_retransmit_skb and the last congestion state that the kernel announced
 * for the socket (tcp:tcp_cong_state_set, since 6.1). An ACK-driven retransmit whose congestion state is not known is
 * `other`: its stack is the same in Recovery and in Loss. A zero-window timeout is a `timeout` here.
 */
export function causeOfStack(
  telling: StackTelling,
  { state, congState }: { readonly state: number; readonly congState: number | undefined },
): Cause {
  if (state === TCP_SYN_SENT) return "syn";
  if (telling === undefined) return "other";
  if (telling === "loss probe") return "tail_loss_probe";
  if (telling === "timer") return "timeout";
  if (telling === "mtu") return "mtu";
  if (congState === TCP_CA_LOSS) return "slow_start";
  if (congState === TCP_CA_RECOVERY) return telling === "reordering" ? "reordering" : "fast";
  return "other";
}

/** The frames of the call itself. */
function ownCall(stack: readonly string[]): readonly string[] {
  const entry = stack.findIndex((name) => ENTRIES.has(name));
  return entry < 0 ? stack : stack.slice(0, entry);
}
