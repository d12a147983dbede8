import { TCP_CA_STATE_NAMES, TCP_STATE_NAMES } from "../event/kernel-tcp.ts";
import type { KernelStack, TcpEvent } from "../event/tcp-event.ts";
import { formatError } from "./format-error.ts";
import { rfc3339Formatter } from "./rfc3339.ts";

/** Every exported name, once. The order is that of the keys of a `--json` line. */
export const ATTRIBUTES = {
  timestamp: "timestamp",
  eventName: "event.name",
  sourceAddress: "source.address",
  sourcePort: "source.port",
  destinationAddress: "destination.address",
  destinationPort: "destination.port",
  networkType: "network.type",
  networkTransport: "network.transport",
  connectionState: "network.connection.state",
  tcpState: "tcp.state",
  retransmitType: "network.tcp.retransmit.type",
  outcome: "tcp.retransmit.outcome",
  segments: "tcp.segments",
  errorType: "error.type",
  retransmitCount: "tcp.retransmit.count",
  backoff: "tcp.backoff",
  rto: "tcp.rto",
  srtt: "tcp.srtt",
  cwnd: "tcp.cwnd",
  mss: "tcp.mss",
  packetsOut: "tcp.packets_out",
  retransOut: "tcp.retrans_out",
  lostOut: "tcp.lost_out",
  totalRetrans: "tcp.total_retrans",
  bytesRetrans: "tcp.bytes_retrans",
  seq: "tcp.seq",
  endSeq: "tcp.end_seq",
  flags: "tcp.flags",
  caState: "tcp.ca_state",
  netns: "linux.network_namespace.inum",
  cgroupId: "linux.cgroup.id",
  pid: "process.pid",
  rung: "probe.rung",
  /** Names of the kernel's functions, innermost first; only with stacks. */
  kernelStack: "linux.kernel.stack",
  /** Keys of summary lines only. */
  summaryRetransmits: "tcp.retransmits",
  summarySegments: "tcp.retransmit.segments",
  summaryFailures: "tcp.retransmit.failures",
  summaryLossProbes: "tcp.loss_probes",
  summaryTypes: "tcp.retransmit.types",
  summaryConnections: "tcp.retransmit.connections",
  summaryFirst: "tcp.retransmit.first",
  summaryLast: "tcp.retransmit.last",
  /** Keys of `--probe=counters` lines only: what the kernel counted in a network namespace. */
  segmentsSent: "tcp.segments.sent",
  segmentsRetransmitted: "tcp.segments.retransmitted",
  countFast: "linux.tcp_ext.TCPFastRetrans",
  countSlowStart: "linux.tcp_ext.TCPSlowStartRetrans",
  countTimeouts: "linux.tcp_ext.TCPTimeouts",
  countLossProbes: "linux.tcp_ext.TCPLossProbes",
  countSyn: "linux.tcp_ext.TCPSynRetrans",
  countFailed: "linux.tcp_ext.TCPRetransFail",
} as const;

/** The values of `event.name`. */
export const EVENT_NAMES = {
  retransmit: "tcp.retransmit",
  loss_probe: "tcp.loss_probe",
  summary: "tcp.retransmit.summary",
  counters: "tcp.retransmit.counters",
} as const;

/**
 * `network.connection.state` of the semantic conventions by the kernel's state number; undefined where they
 * have no word. A request socket (NEW_SYN_RECV) has received a SYN.
 */
export const CONNECTION_STATES: readonly (string | undefined)[] = [
  undefined,
  "established",
  "syn_sent",
  "syn_received",
  "fin_wait_1",
  "fin_wait_2",
  "time_wait",
  "closed",
  "close_wait",
  "last_ack",
  "listen",
  "closing",
  "syn_received",
];

/** Names of a kernel stack's functions, innermost first; an address itself never leaves the process. */
export type StackNames = (stack: KernelStack) => readonly string[];

/** A value of an event's attribute; undefined ones have no key. */
export type AttributeValue = string | number | readonly string[];

/** The kernel's name of a state, `UNKNOWN` for a number that it has none for. */
export function stateName(state: number): string {
  return TCP_STATE_NAMES[state] ?? "UNKNOWN";
}

/** An event as flat attributes in the order of ATTRIBUTES; what is not known has no key. Times are in seconds. */
export function eventAttributes(
  event: TcpEvent,
  unixNanos: bigint,
  stackNames?: StackNames,
): Readonly<Record<string, AttributeValue>> {
  const { socket } = event;
  const A = ATTRIBUTES;
  const all: readonly (readonly [string, AttributeValue | undefined])[] = [
    [A.timestamp, rfc3339Formatter()(unixNanos)],
    [A.eventName, EVENT_NAMES[event.kind]],
    [A.sourceAddress, socket.localAddress],
    [A.sourcePort, socket.localPort],
    [A.destinationAddress, socket.peerAddress],
    [A.destinationPort, socket.peerPort],
    [A.networkType, socket.ipVersion === 4 ? "ipv4" : "ipv6"],
    [A.networkTransport, "tcp"],
    [A.connectionState, CONNECTION_STATES[socket.state]],
    [A.tcpState, stateName(socket.state)],
    [A.retransmitType, event.cause],
    [A.outcome, event.outcome],
    [A.segments, event.segments],
    [A.errorType, formatError(event.error)],
    [A.retransmitCount, socket.retransmits],
    [A.backoff, socket.backoff],
    [A.rto, socket.rto],
    [A.srtt, socket.srtt],
    [A.cwnd, socket.cwnd],
    [A.mss, socket.mss],
    [A.packetsOut, socket.packetsOut],
    [A.retransOut, socket.retransOut],
    [A.lostOut, socket.lostOut],
    [A.totalRetrans, socket.totalRetrans],
    [A.bytesRetrans, exactInteger(socket.bytesRetrans)],
    [A.seq, socket.seq],
    [A.endSeq, socket.endSeq],
    [A.flags, socket.tcpFlags],
    [A.caState, socket.caState === undefined ? undefined : TCP_CA_STATE_NAMES[socket.caState]],
    [A.netns, socket.netns],
    [A.cgroupId, socket.cgroupId?.toString()],
    [A.pid, event.pid],
    [A.rung, event.rung],
    [A.kernelStack, stackNames && event.stack && stackNames(event.stack)],
  ];
  return Object.fromEntries(
    all.filter((pair): pair is readonly [string, AttributeValue] => pair[1] !== undefined),
  );
}

/** A number where it is exact, else its decimal digits. */
export function exactInteger(value: bigint | undefined): number | string | undefined {
  if (value === undefined) return undefined;
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
}
