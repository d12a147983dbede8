import type { TraceNanos } from "./trace-nanos.ts";

/** Which means of capture gave an event, from the most to the least telling. */
export type Rung = "kprobe" | "eprobe" | "tracepoint";

/** Why the kernel retransmitted. Values of the exported attribute `network.tcp.retransmit.type`. */
export const CAUSES = [
  "timeout",
  "fast",
  "slow_start",
  "tail_loss_probe",
  "syn",
  "syn_ack",
  "reordering",
  "mtu",
  "window_probe",
  "other",
] as const;
export type Cause = (typeof CAUSES)[number];

/**
 * What became of the attempt. `sent` and `failed` for retransmits; a tail loss probe is `sent` when it
 * retransmitted, `new_data` or `nothing` only where a record proves it, else `unknown`.
 */
export const OUTCOMES = ["sent", "failed", "new_data", "nothing", "unknown"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A socket's identity inside this process: a small number that stands for its kernel address. Never exported. */
export type SocketKey = number & { readonly __brand: "SocketKey" };

/** The socket's fields at the event. `undefined`: this rung or kernel does not tell. */
export interface SocketFields {
  readonly key: SocketKey;
  /** Kernel state number, see TCP_STATE_NAMES. */
  readonly state: number;
  /** 4 or 6; a v4-mapped socket is 4. */
  readonly ipVersion: 4 | 6;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  /** Network namespace inode number, as `stat -L /proc/PID/ns/net` shows it. */
  readonly netns: number | undefined;
  /** cgroup v2 id of the socket: the inode number of the cgroup's directory. */
  readonly cgroupId: bigint | undefined;
  /** `icsk_ca_state`, see TCP_CA_STATE_NAMES. */
  readonly caState: number | undefined;
  /** `icsk_pending`: the armed timer (0 none, 1 RTO, 3 zero window, 5 loss probe, 6 reordering). */
  readonly pending: number | undefined;
  /** `icsk_retransmits`: consecutive timeouts so far. */
  readonly retransmits: number | undefined;
  /** `icsk_backoff`: doublings of the RTO. */
  readonly backoff: number | undefined;
  /** Retransmission timeout in seconds. */
  readonly rto: number | undefined;
  /** Smoothed round-trip time in seconds. */
  readonly srtt: number | undefined;
  /** Congestion window in segments. */
  readonly cwnd: number | undefined;
  /** `mss_cache` in bytes. */
  readonly mss: number | undefined;
  readonly packetsOut: number | undefined;
  readonly retransOut: number | undefined;
  readonly lostOut: number | undefined;
  /** Segments this socket has retransmitted in its life. */
  readonly totalRetrans: number | undefined;
  /** Bytes this socket has retransmitted in its life. */
  readonly bytesRetrans: bigint | undefined;
  /** First sequence number of the retransmitted skb. */
  readonly seq: number | undefined;
  /** Sequence number after the skb's last byte. */
  readonly endSeq: number | undefined;
  /** Seconds since the peer last acknowledged anything; undefined before it ever has. */
  readonly sinceAck: number | undefined;
  /** TCP header flags of the skb. */
  readonly tcpFlags: number | undefined;
}

/** Return addresses of the kernel stack, innermost first. */
export type KernelStack = readonly bigint[];

/** One retransmit or tail loss probe of this host, attempt and outcome in one. */
export interface TcpEvent {
  readonly kind: "retransmit" | "loss_probe";
  /** Kernel time of the outcome where there is one, else of the attempt. */
  readonly time: TraceNanos;
  readonly cpu: number;
  /** The task that was on the CPU: often 0, seldom the socket's owner. */
  readonly pid: number;
  readonly rung: Rung;
  readonly cause: Cause;
  readonly outcome: Outcome;
  /** The kernel's return value: negative errno or +1 (NET_XMIT_DROP); 0 when sent; undefined where not told. */
  readonly error: number | undefined;
  /** Segments sent by this event (0 when failed); undefined where the rung cannot tell. */
  readonly segments: number | undefined;
  readonly socket: SocketFields;
  readonly stack: KernelStack | undefined;
}
