import type { Rung } from "../event/tcp-event.ts";

/** What a capture sees of what the kernel counts; each `false` is a reason why an identity may not be checked. */
export interface Sight {
  readonly rung: Rung;
  /** Events tell their network namespace; else only sums over the whole host can be compared. */
  readonly namespaces: boolean;
  /** Attempts that failed are seen: a kprobe on tcp_retransmit_skb, or the tracepoint's `err` (since 6.17). */
  readonly failures: boolean;
  /** Every call of tcp_send_loss_probe is seen, not only those that retransmit. */
  readonly lossProbeCalls: boolean;
  /** SYN-ACK timers are seen: a probe on tcp_syn_ack_timeout. */
  readonly synAckTimers: boolean;
  /** The outcome tells cause and segments without its attempt; not so before eprobes (5.15). */
  readonly completeOutcomes: boolean;
  /** It is known from elsewhere that every retransmit is one segment (gso_max_segs 1 on each link). */
  readonly oneSegmentEach: boolean;
}

/** What each rung sees; spread over it what more is known (SYN-ACK timers, one segment each). */
export function sightOf(rung: Rung, { tellsErrors }: { readonly tellsErrors: boolean }): Sight {
  return {
    rung,
    namespaces: rung !== "tracepoint",
    failures: rung === "kprobe" || tellsErrors,
    lossProbeCalls: rung === "kprobe",
    synAckTimers: false,
    completeOutcomes: true,
    oneSegmentEach: false,
  };
}
