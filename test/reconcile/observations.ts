import type { Cause, Outcome, SocketFields, SocketKey, TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { COUNTERS, type CounterName, type CounterValues } from "../../src/reconcile/identities.ts";
import { type Sight, sightOf } from "../../src/reconcile/sight.ts";

const SOCKET: SocketFields = {
  key: 1 as SocketKey,
  state: 1,
  ipVersion: 4,
  localAddress: "10.0.0.1",
  localPort: 1,
  peerAddress: "10.0.0.2",
  peerPort: 2,
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

interface EventParts {
  readonly outcome?: Outcome;
  readonly segments?: number | undefined;
  readonly error?: number | undefined;
  readonly netns?: number | undefined;
  readonly time?: number;
}

/** An event of which only what the identities look at is of interest. */
export function event(cause: Cause, parts: EventParts = {}): TcpEvent {
  const { outcome = "sent", error = outcome === "sent" ? 0 : undefined, time = 0 } = parts;
  return {
    kind: cause === "tail_loss_probe" ? "loss_probe" : "retransmit",
    time: traceNanos(time),
    cpu: 0,
    pid: 0,
    rung: "kprobe",
    cause,
    outcome,
    error,
    segments: "segments" in parts ? parts.segments : outcome === "sent" ? 1 : 0,
    socket: { ...SOCKET, netns: "netns" in parts ? parts.netns : 1 },
    stack: undefined,
  };
}

export function events(count: number, cause: Cause, parts: EventParts = {}): readonly TcpEvent[] {
  return Array.from({ length: count }, () => event(cause, parts));
}

export function counters(values: Partial<Record<CounterName, number>> = {}): CounterValues {
  return Object.fromEntries(COUNTERS.map((name) => [name, BigInt(values[name] ?? 0)])) as CounterValues;
}

export const KPROBE: Sight = sightOf("kprobe", { tellsErrors: false });
