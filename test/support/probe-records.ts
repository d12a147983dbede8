import type { SocketFields, SocketKey, TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { Pairer, type PairerOptions } from "../../src/probe/pairer.ts";
import type { ProbeRecord, Role } from "../../src/probe/probe-record.ts";

/** What a test says of a record; the socket is the one of `key`, established and in Open, unless it says otherwise. */
export interface RecordPlan extends Omit<Partial<ProbeRecord>, "key" | "time" | "socket" | "role"> {
  readonly time?: number;
  readonly key?: number;
  /** `null` for a record that carries no socket. */
  readonly socket?: Partial<SocketFields> | null;
}

/** A decoded record of the kprobe rung, as PageDecoder gives it. */
export function probeRecord(role: Role, plan: RecordPlan = {}): ProbeRecord {
  const key = (plan.key ?? 1) as SocketKey;
  return {
    role,
    cpu: 0,
    pid: 0,
    segsLimit: undefined,
    gsoSegs: undefined,
    skbLen: undefined,
    error: undefined,
    sndWnd: 65_535,
    dead: false,
    tlpHighSeq: 0,
    congState: undefined,
    stack: undefined,
    ...plan,
    time: traceNanos(plan.time ?? 0),
    key,
    socket: plan.socket === null ? undefined : { ...socketFields(key), ...plan.socket },
  };
}

/** A socket in Open with its retransmission timer armed. */
export function socketFields(key: number): SocketFields {
  return {
    key: key as SocketKey,
    state: 1,
    ipVersion: 4,
    localAddress: `10.0.0.${key}`,
    localPort: 40_000 + key,
    peerAddress: "10.0.9.9",
    peerPort: 443,
    netns: 4_026_531_840,
    cgroupId: 77n,
    caState: 0,
    pending: 1,
    retransmits: 0,
    backoff: 0,
    rto: 0.2,
    srtt: 0.001,
    cwnd: 10,
    mss: 1448,
    packetsOut: 4,
    retransOut: 0,
    lostOut: 1,
    totalRetrans: 1,
    bytesRetrans: 1448n,
    seq: 1000,
    endSeq: 2448,
    sinceAck: 0.2,
    tcpFlags: 0x10,
  };
}

/** A pairer whose events are kept, in the order in which it makes them. */
export function keepingPairer(options: Partial<PairerOptions> = {}) {
  const events: TcpEvent[] = [];
  const pairer = new Pairer({
    rung: "kprobe",
    functionsOf: (stack) => stack.map((address) => NAMES[Number(address)] ?? "?"),
    emit: (event) => events.push(event),
    ...options,
  });
  return { pairer, events, push: (...records: ProbeRecord[]) => records.forEach((r) => void pairer.push(r)) };
}

/** Names of functions, and a stack as their places in that list: what kallsyms does for real addresses. */
const NAMES: string[] = [];

/** A kernel stack of the named functions, innermost first, for `keepingPairer()`. */
export function stackOf(...functions: readonly string[]): readonly bigint[] {
  return functions.map((name) => {
    if (!NAMES.includes(name)) NAMES.push(name);
    return BigInt(NAMES.indexOf(name));
  });
}
