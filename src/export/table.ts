import type { Ends } from "../event/end-name.ts";
import type { SocketFields, TcpEvent } from "../event/tcp-event.ts";
import { type StackNames, stateName } from "./attributes.ts";
import { byConnection } from "./by-connection.ts";
import { byEnds } from "./by-ends.ts";
import { byTask } from "./by-task.ts";
import { formatEnds } from "./format-end-name.ts";
import { formatError } from "./format-error.ts";
import type { EventFormatter } from "./json-line.ts";
import { timeOfDayFormatter } from "./rfc3339.ts";

export interface TableOptions {
  /** Adds cause, segments, outcome, retry number, RTO, smoothed RTT and congestion window. */
  readonly wide: boolean;
  readonly color: boolean;
  /** Adds the names of both ends, as the last columns. */
  readonly names?: boolean;
  /** Minutes east of UTC at a time, for the TIME column. */
  readonly utcOffsetMinutes: (unixSeconds: number) => number;
  /** Present: the kernel stack follows each event, one ` => function` a line. */
  readonly stackNames?: StackNames | undefined;
}

/** The header line, in perf-tools' own format. */
export function tableHeader({ wide, names = false }: Pick<TableOptions, "wide" | "names">): string {
  const narrow = `${"TIME".padEnd(8)}${taskColumn("PID")}${socketColumns("LADDR:LPORT", "--", "RADDR:RPORT", "STATE")}`;
  const more = wide
    ? ` ${wideColumns("CAUSE", "SEGS", "OUTCOME", "RETRY", "RTO(ms)", "SRTT(ms)", "CWND")}`
    : "";
  return `${narrow}${more}${names ? nameColumns("SOURCE", "DESTINATION") : ""}\n`;
}

/**
 * Makes a formatter of events as perf-tools' rows, `%-8s %-6s %-20s %-2s %-20s %-12s` to the blank:
 * STATE is padded to 12, as its printf does.
 */
export function tableFormatter(options: TableOptions): EventFormatter {
  const { wide, color, names = false, stackNames } = options;
  const timeOfDay = timeOfDayFormatter(options.utcOffsetMinutes);
  const task = byTask((pid) => taskColumn(String(pid)));
  const connection = byConnection(connectionColumns);
  const ofEnds = byEnds(endsColumns);
  return (event, epochUnixNanos, ends) => {
    const { kind, time, pid, socket } = event;
    const row = timeOfDay(epochUnixNanos, time) + task(pid) + connection(socket)[kind];
    const more = wide ? ` ${color ? colored(event, wideRow(event)) : wideRow(event)}` : "";
    const named = !names ? "" : ends === undefined ? NAMELESS : ofEnds(socket, ends);
    const line = `${row}${more}${named}\n`;
    return stackNames === undefined ? line : line + stackLines(event, stackNames);
  };
}

/** `addr:port`, an IPv6 address in brackets. */
export function formatEnd(address: string, port: number, ipVersion: 4 | 6): string {
  return ipVersion === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/** What a row tells of a connection, by the kind of event. Joined, a text is in one piece, which need not be put together again. */
function connectionColumns({
  localAddress,
  localPort,
  peerAddress,
  peerPort,
  ipVersion,
  state,
}: SocketFields) {
  const local = formatEnd(localAddress, localPort, ipVersion);
  const peer = formatEnd(peerAddress, peerPort, ipVersion);
  const name = stateName(state);
  return {
    retransmit: socketColumns(local, "R>", peer, name),
    loss_probe: socketColumns(local, "L>", peer, name),
  };
}

function taskColumn(pid: string): string {
  return ` ${pid.padEnd(6)} `;
}

function socketColumns(local: string, packet: string, peer: string, state: string): string {
  return [local.padEnd(20), packet, peer.padEnd(20), state.padEnd(12)].join(" ");
}

function wideRow(event: TcpEvent): string {
  const { socket } = event;
  return wideColumns(
    event.cause,
    dash(event.segments),
    outcomeText(event),
    dash(socket.retransmits),
    milliseconds(socket.rto),
    milliseconds(socket.srtt),
    dash(socket.cwnd),
  );
}

function wideColumns(
  cause: string,
  segments: string,
  outcome: string,
  retry: string,
  rto: string,
  srtt: string,
  cwnd: string,
): string {
  return `${cause.padEnd(15)} ${segments.padStart(4)} ${outcome.padEnd(14)} ${retry.padStart(5)} ${rto.padStart(7)} ${srtt.padStart(8)} ${cwnd.padStart(5)}`;
}

/** `failed:EBUSY` where the kernel tells why. */
export function outcomeText({ outcome, error }: TcpEvent): string {
  const name = formatError(error);
  return name === undefined ? outcome : `${outcome}:${name}`;
}

function dash(value: number | undefined): string {
  return value === undefined ? "-" : String(value);
}

/** Milliseconds of a time in seconds, with three significant digits below 100 ms: 0.045, 1.52, 12.3, 204. */
function milliseconds(seconds: number | undefined): string {
  if (seconds === undefined) return "-";
  const ms = seconds * 1000;
  if (ms >= 99.95) return ms.toFixed(0);
  if (ms >= 9.995) return ms.toFixed(1);
  return ms.toFixed(ms >= 0.9995 ? 2 : 3);
}

function nameColumns(source: string, destination: string): string {
  return ` ${source.padEnd(30)} ${destination}`;
}

function endsColumns(ends: Ends): string {
  const { source, destination } = formatEnds(ends);
  return nameColumns(source, destination);
}

const NAMELESS = nameColumns("-", "-");

const RED = "\u001b[31m";
const YELLOW = "\u001b[33m";
const CYAN = "\u001b[36m";
const RESET = "\u001b[0m";

function colored({ outcome, cause }: TcpEvent, text: string): string {
  const color =
    outcome === "failed" ? RED : cause === "tail_loss_probe" ? CYAN : SLOW.has(cause) ? YELLOW : "";
  return color === "" ? text : `${color}${text}${RESET}`;
}

/** Causes that stall a connection: a timer had to run out. */
const SLOW: ReadonlySet<string> = new Set(["timeout", "syn", "syn_ack", "window_probe"]);

function stackLines({ stack }: TcpEvent, stackNames: StackNames): string {
  if (stack === undefined) return "";
  return stackNames(stack)
    .map((name) => ` => ${name}\n`)
    .join("");
}
