import type { Ends } from "../event/end-name.ts";
import { TCP_CA_STATE_NAMES } from "../event/kernel-tcp.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import {
  ATTRIBUTES,
  type Attribute,
  type AttributeValue,
  CONNECTION_STATES,
  EVENT_NAMES,
  exactInteger,
  type StackNames,
  stateName,
} from "./attributes.ts";
import { endsAttributes } from "./ends-attributes.ts";
import { formatError } from "./format-error.ts";
import { rfc3339Formatter } from "./rfc3339.ts";

export interface AttributeOptions {
  /** Present: with the names of the kernel stack's functions. */
  readonly stackNames?: StackNames | undefined;
  /** Present: with the names of both ends. */
  readonly ends?: Ends | undefined;
}

/** An event as flat attributes in the order of ATTRIBUTES; what is not known has no key. Times are in seconds. */
export function eventAttributes(
  event: TcpEvent,
  unixNanos: bigint,
  { stackNames, ends }: AttributeOptions = {},
): Readonly<Record<string, AttributeValue>> {
  const { socket } = event;
  const A = ATTRIBUTES;
  const all: readonly Attribute[] = [
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
    ...(ends === undefined ? [] : endsAttributes(ends)),
    [A.kernelStack, stackNames && event.stack && stackNames(event.stack)],
  ];
  return Object.fromEntries(
    all.filter((pair): pair is readonly [string, AttributeValue] => pair[1] !== undefined),
  );
}
