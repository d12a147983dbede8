import type { SocketFields, SocketKey, TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";

const SOCKET: SocketFields = {
  key: 7 as SocketKey,
  state: 1,
  ipVersion: 4,
  localAddress: "10.150.18.225",
  localPort: 53874,
  peerAddress: "10.105.152.3",
  peerPort: 6001,
  netns: undefined,
  cgroupId: undefined,
  caState: undefined,
  pending: undefined,
  retransmits: undefined,
  backoff: undefined,
  rto: undefined,
  srtt: undefined,
  cwnd: undefined,
  mss: undefined,
  packetsOut: undefined,
  retransOut: undefined,
  lostOut: undefined,
  totalRetrans: undefined,
  bytesRetrans: undefined,
  seq: undefined,
  endSeq: undefined,
  sinceAck: undefined,
  tcpFlags: undefined,
};

/** The first event of perf-tools' transcript, as the tracepoint rung tells it, with what a test changes. */
export function anEvent(
  change: Partial<Omit<TcpEvent, "socket">> & { readonly socket?: Partial<SocketFields> } = {},
): TcpEvent {
  return {
    kind: "retransmit",
    time: traceNanos(0),
    cpu: 0,
    pid: 3375,
    rung: "tracepoint",
    cause: "fast",
    outcome: "sent",
    error: undefined,
    segments: undefined,
    stack: undefined,
    ...change,
    socket: { ...SOCKET, ...change.socket },
  };
}

/** What the kprobe rung tells of a socket. */
export const EVERY_FIELD: Partial<SocketFields> = {
  netns: 4026531840,
  cgroupId: 2n ** 60n,
  caState: 3,
  pending: 1,
  retransmits: 2,
  backoff: 1,
  rto: 0.204,
  srtt: 0.000045,
  cwnd: 10,
  mss: 1448,
  packetsOut: 12,
  retransOut: 1,
  lostOut: 2,
  totalRetrans: 31,
  bytesRetrans: 44888n,
  seq: 1000,
  endSeq: 2448,
  tcpFlags: 24,
};
