import type { Ends } from "../event/end-name.ts";
import { TCP_CA_STATE_NAMES } from "../event/kernel-tcp.ts";
import type { SocketFields, TcpEvent } from "../event/tcp-event.ts";
import {
  ATTRIBUTES,
  CONNECTION_STATES,
  EVENT_NAMES,
  exactInteger,
  type StackNames,
  stateName,
} from "./attributes.ts";
import { byConnection } from "./by-connection.ts";
import { byEnds } from "./by-ends.ts";
import { endsAttributes } from "./ends-attributes.ts";
import { formatError } from "./format-error.ts";
import { rfc3339Formatter } from "./rfc3339.ts";

/** Formats an event at a wall-clock time as lines of text, the last one ended too; with the names of its ends where given. */
export type EventFormatter = (event: TcpEvent, unixNanos: bigint, ends?: Ends) => string;

/** Prefix of each attribute in a line: `,"key":`. */
const KEY = Object.fromEntries(
  Object.entries(ATTRIBUTES).map(([name, key]) => [name, `,${JSON.stringify(key)}:`]),
) as Readonly<Record<keyof typeof ATTRIBUTES, string>>;

/**
 * Makes a formatter of events as one JSON object a line: the text of JSON.stringify(eventAttributes(…)),
 * put together by hand because this is the hot path. Addresses and the kernel's names need no escaping.
 */
export function jsonLineFormatter(stackNames?: StackNames): EventFormatter {
  const timestamp = rfc3339Formatter();
  const connection = byConnection(connectionKeys);
  const names = byEnds(endsKeys);
  return (event, unixNanos, ends) =>
    `{"timestamp":"${timestamp(unixNanos)}"${
      event.kind === "retransmit" ? RETRANSMIT : LOSS_PROBE
    }${connection(event.socket)}${KEY.retransmitType}"${event.cause}"${KEY.outcome}"${event.outcome}"${number(
      KEY.segments,
      event.segments,
    )}${text(KEY.errorType, formatError(event.error))}${fields(event)}${KEY.pid}${event.pid}${KEY.rung}"${
      event.rung
    }"${ends === undefined ? "" : names(event.socket, ends)}${stackNames === undefined ? "" : stack(event, stackNames)}}\n`;
}

/** The keys that are of the connection alone, from the source's address to the state. */
function connectionKeys(socket: SocketFields): string {
  const { localAddress, localPort, peerAddress, peerPort } = socket;
  const source = `${KEY.sourceAddress}"${localAddress}"${KEY.sourcePort}${localPort}`;
  const destination = `${KEY.destinationAddress}"${peerAddress}"${KEY.destinationPort}${peerPort}`;
  return `${source}${destination}${socket.ipVersion === 4 ? IPV4 : IPV6}${STATES[socket.state] ?? state(socket.state)}`;
}

/** Names come from the API and from cgroups: they are escaped. */
function endsKeys(ends: Ends): string {
  return endsAttributes(ends)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join("");
}

const RETRANSMIT = `${KEY.eventName}"${EVENT_NAMES.retransmit}"`;
const LOSS_PROBE = `${KEY.eventName}"${EVENT_NAMES.loss_probe}"`;
const IPV4 = `${KEY.networkType}"ipv4"${KEY.networkTransport}"tcp"`;
const IPV6 = `${KEY.networkType}"ipv6"${KEY.networkTransport}"tcp"`;
const STATES: readonly string[] = CONNECTION_STATES.map((_, number) => state(number));

function fields({ socket }: TcpEvent): string {
  return (
    number(KEY.retransmitCount, socket.retransmits) +
    number(KEY.backoff, socket.backoff) +
    number(KEY.rto, socket.rto) +
    number(KEY.srtt, socket.srtt) +
    number(KEY.cwnd, socket.cwnd) +
    number(KEY.mss, socket.mss) +
    number(KEY.packetsOut, socket.packetsOut) +
    number(KEY.retransOut, socket.retransOut) +
    number(KEY.lostOut, socket.lostOut) +
    number(KEY.totalRetrans, socket.totalRetrans) +
    integer(KEY.bytesRetrans, socket.bytesRetrans) +
    number(KEY.seq, socket.seq) +
    number(KEY.endSeq, socket.endSeq) +
    number(KEY.flags, socket.tcpFlags) +
    text(KEY.caState, socket.caState === undefined ? undefined : TCP_CA_STATE_NAMES[socket.caState]) +
    number(KEY.netns, socket.netns) +
    text(KEY.cgroupId, socket.cgroupId)
  );
}

function state(number: number): string {
  return `${text(KEY.connectionState, CONNECTION_STATES[number])}${KEY.tcpState}"${stateName(number)}"`;
}

function number(key: string, value: number | undefined): string {
  return value === undefined ? "" : `${key}${value}`;
}

function text(key: string, value: string | bigint | undefined): string {
  return value === undefined ? "" : `${key}"${value}"`;
}

function integer(key: string, value: bigint | undefined): string {
  const exact = exactInteger(value);
  return typeof exact === "string" ? text(key, exact) : number(key, exact);
}

function stack({ stack }: TcpEvent, stackNames: StackNames): string {
  return stack === undefined ? "" : `${KEY.kernelStack}${JSON.stringify(stackNames(stack))}`;
}
