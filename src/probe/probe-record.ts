import type { KernelStack, SocketFields, SocketKey } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";

/** What a probe stands for on the data path. */
export const ROLES = [
  /** Entry of tcp_retransmit_skb: the kernel means to retransmit. */
  "attempt",
  /** Entry of tcp_send_loss_probe. */
  "loss_probe",
  /** Return of tcp_send_loss_probe (with the socket, since 6.12). */
  "loss_probe_return",
  /** Tracepoint tcp:tcp_retransmit_skb, or an eprobe on it: sent (before 6.17), or sent or failed with its errno. */
  "outcome",
  /** Entry of tcp_rtx_synack, where no eprobe can fetch the namespace. */
  "syn_ack_attempt",
  /** Tracepoint tcp:tcp_retransmit_synack, or an eprobe on it. */
  "syn_ack",
  /** Entry of tcp_syn_ack_timeout: a SYN-ACK timer that counts in TCPTimeouts. */
  "syn_ack_timer",
  /** Entry and return of tcp_rack_reo_timeout. */
  "reordering_enter",
  "reordering_return",
  /** Entry and return of tcp_simple_retransmit. */
  "mtu_enter",
  "mtu_return",
  /** Tracepoint tcp:tcp_cong_state_set, Recovery and Loss only (since 6.1). */
  "ca_state",
] as const;
export type Role = (typeof ROLES)[number];

/** A decoded record of one of our probes. Every record has every key, so that the engine sees one shape. */
export interface ProbeRecord {
  readonly role: Role;
  readonly time: TraceNanos;
  readonly cpu: number;
  readonly pid: number;
  readonly key: SocketKey;
  readonly socket: SocketFields | undefined;
  /** The `segs` argument of tcp_retransmit_skb: an upper limit of the segments. */
  readonly segsLimit: number | undefined;
  /** `tcp_skb_cb.tcp_gso_segs`: at the outcome, the segments sent. */
  readonly gsoSegs: number | undefined;
  /** `sk_buff.len` in bytes. */
  readonly skbLen: number | undefined;
  /** The tracepoint's `err` (since 6.17). */
  readonly error: number | undefined;
  /** `snd_wnd` in bytes. */
  readonly sndWnd: number | undefined;
  /** SOCK_DEAD: no process holds the socket any more (include/net/sock.h, `enum sock_flags`). */
  readonly dead: boolean;
  /** `tlp_high_seq`: not 0 while a tail loss probe is outstanding. */
  readonly tlpHighSeq: number | undefined;
  /** The congestion state that tcp_cong_state_set reports. */
  readonly congState: number | undefined;
  /** Filled in by the kernel_stack record that follows. */
  stack: KernelStack | undefined;
}

/** Why a record of one of our probes gave no event. Each is a label of the fault counter. */
export const DECODE_FAULTS = [
  /** Of no probe that we know: its id is in no format. */
  "unknown-event",
  /** Shorter than its format. */
  "record-too-short",
  /** The socket is neither IPv4 nor IPv6. */
  "unknown-family",
  /** The format has no addresses, so that its records make no events. */
  "no-addresses",
  /** A kernel_stack record without an address. */
  "stack-too-short",
] as const;
export type DecodeFault = (typeof DECODE_FAULTS)[number];
