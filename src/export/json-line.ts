import type { Ends } from "../event/end-name.ts";
import { TCP_CA_STATE_NAMES } from "../event/kernel-tcp.ts";
import type { Cause, SocketFields, TcpEvent } from "../event/tcp-event.ts";
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
import { byTask } from "./by-task.ts";
import { endsAttributes } from "./ends-attributes.ts";
import { formatError } from "./format-error.ts";
import { rfc3339Formatter } from "./rfc3339.ts";

/**
 * Formats an event, whose time is counted from an epoch in Unix nanoseconds, as lines of text, the last one ended too; with
 * the names of its ends where given.
 */
export type EventFormatter = (event: TcpEvent, epochUnixNanos: bigint, ends?: Ends) => string;

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
  const verdict = verdictKeys();
  const task = byTask((pid) => `${KEY.pid}${pid}${KEY.rung}"`);
  const names = byEnds(endsKeys);
  return (event, epochUnixNanos, ends) => {
    const { kind, time, socket, pid, rung } = event;
    const known = connection(socket);
    const head = `{"timestamp":"${timestamp(epochUnixNanos, time)}${known[kind]}${verdict(event)}`;
    const tail = `${ends === undefined ? "" : names(socket, ends)}${stackNames === undefined ? "" : stack(event, stackNames)}}\n`;
    return `${head}${fieldKeys(known, socket)}${task(pid)}${rung}"${tail}`;
  };
}

interface ConnectionKeys {
  /** From the end of the timestamp to the state, by the kind of event. */
  readonly retransmit: string;
  readonly loss_probe: string;
  /** The last look at the socket and its fields: where a rung tells none, all looks are the same object. */
  looked: SocketFields | undefined;
  fields: string;
}

/** Joined, a text is in one piece, which need not be put together again. */
function connectionKeys(socket: SocketFields): ConnectionKeys {
  const { localAddress, localPort, peerAddress, peerPort } = socket;
  const keys = [
    `${KEY.sourceAddress}"${localAddress}"${KEY.sourcePort}${localPort}`,
    `${KEY.destinationAddress}"${peerAddress}"${KEY.destinationPort}${peerPort}`,
    socket.ipVersion === 4 ? IPV4 : IPV6,
    STATES[socket.state] ?? state(socket.state),
  ];
  const [retransmit, loss_probe] = [[RETRANSMIT, ...keys].join(""), [LOSS_PROBE, ...keys].join("")];
  return { retransmit, loss_probe, looked: undefined, fields: "" };
}

function fieldKeys(known: ConnectionKeys, socket: SocketFields): string {
  if (known.looked !== socket) {
    known.looked = socket;
    known.fields = fields(socket);
  }
  return known.fields;
}

/** Makes a function that remembers the keys from the cause to the error for the last event of each cause. */
function verdictKeys(): (event: TcpEvent) => string {
  const known = new Map<Cause, { readonly event: TcpEvent; readonly keys: string }>();
  return (event) => {
    const { cause, outcome, segments, error } = event;
    const last = known.get(cause);
    if (last?.event.outcome === outcome && last.event.segments === segments && last.event.error === error)
      return last.keys;
    const keys = [
      `${KEY.retransmitType}"${cause}"${KEY.outcome}"${outcome}"`,
      number(KEY.segments, segments),
      text(KEY.errorType, formatError(error)),
    ].join("");
    known.set(cause, { event, keys });
    return keys;
  };
}

/** Names come from the API and from cgroups: they are escaped. */
function endsKeys(ends: Ends): string {
  return endsAttributes(ends)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join("");
}

const RETRANSMIT = `"${KEY.eventName}"${EVENT_NAMES.retransmit}"`;
const LOSS_PROBE = `"${KEY.eventName}"${EVENT_NAMES.loss_probe}"`;
const IPV4 = `${KEY.networkType}"ipv4"${KEY.networkTransport}"tcp"`;
const IPV6 = `${KEY.networkType}"ipv6"${KEY.networkTransport}"tcp"`;
const STATES: readonly string[] = CONNECTION_STATES.map((_, number) => state(number));

function fields(socket: SocketFields): string {
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
