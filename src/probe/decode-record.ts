import { TCP_NEW_SYN_RECV } from "../event/kernel-tcp.ts";
import type { SocketKey } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import type { EventFormat } from "../tracefs/event-format.ts";
import {
  bigReader,
  findField,
  type NumberReader,
  numberReader,
  pointerCheck,
  recordSize,
} from "./field-reader.ts";
import type { DecodeFault, ProbeRecord, Role } from "./probe-record.ts";
import { type SocketReader, shareSockets } from "./shared-sockets.ts";
import { addressReader } from "./socket-addresses.ts";

/** Decodes the payload at `offset` of a page's view; never reads past `offset + length`. */
export type RecordDecoder = (
  view: DataView,
  offset: number,
  length: number,
  time: TraceNanos,
  cpu: number,
) => ProbeRecord | DecodeFault;

/** What decoding needs to know of the kernel, beside the format. */
export interface KernelFacts {
  /** CONFIG_HZ: `icsk_rto` is in jiffies. */
  readonly hz: number | undefined;
  /** Bits of `icsk_ca_state` within its byte (6 until 5.4, 5 since 5.10). */
  readonly caState: { readonly shift: number; readonly width: number };
}

export interface DecodeFacts extends KernelFacts {
  /** Makes a socket's key of its kernel address. */
  readonly keyOf: (pointer: number) => SocketKey;
}

/** Compiles a format into a decoder: names are looked up here, once, and never per record. */
export function recordDecoder(role: Role, format: EventFormat, facts: DecodeFacts): RecordDecoder {
  const number = (...names: readonly string[]) => numberReader(format, ...names);
  const [pid, key] = [number("common_pid"), number(...KEY_FIELDS[keyedBy(role)])];
  const socket = NO_SOCKET.has(role) ? undefined : socketReader(role, format, facts);
  const [segsLimit, gsoSegs, skbLen] = [number("segs"), number("gso"), number("len")];
  const [error, sndWnd, flags] = [number("err"), number("wnd"), number("fl")];
  const [tlpHighSeq, congState] = [number("tlp"), number("cong_state")];
  const size = recordSize(format);
  const { keyOf } = facts;
  if (socket === undefined && MAKES_EVENTS.has(role)) return () => "no-addresses";
  return (view, offset, length, time, cpu) => {
    if (length < size) return "record-too-short";
    const socketKey = keyOf(key?.(view, offset) ?? 0);
    const fields = socket?.(view, offset, socketKey);
    if (fields === "unknown-family") return fields;
    return {
      role,
      time,
      cpu,
      pid: pid?.(view, offset) ?? 0,
      key: socketKey,
      socket: fields,
      segsLimit: segsLimit?.(view, offset),
      gsoSegs: gsoSegs?.(view, offset),
      skbLen: skbLen?.(view, offset),
      error: error?.(view, offset),
      sndWnd: sndWnd?.(view, offset),
      dead: ((flags?.(view, offset) ?? 0) & SOCK_DEAD_BIT) !== 0,
      tlpHighSeq: tlpHighSeq?.(view, offset),
      congState: congState?.(view, offset),
      stack: undefined,
    };
  };
}

/** The roles whose records become events, of which every one tells the socket's ends. */
const MAKES_EVENTS: ReadonlySet<Role> = new Set([
  "attempt",
  "loss_probe",
  "outcome",
  "syn_ack_attempt",
  "syn_ack",
]);

/** The roles whose records are read for their key alone. */
const NO_SOCKET: ReadonlySet<Role> = new Set([
  "loss_probe_return",
  "reordering_enter",
  "reordering_return",
  "mtu_enter",
  "mtu_return",
  "ca_state",
]);

/** `1 << SOCK_DEAD` (include/net/sock.h, `enum sock_flags`). */
const SOCK_DEAD_BIT = 1;

/** The field that names the connection: a SYN-ACK's is its request socket, not the listener. */
const KEY_FIELDS = { socket: ["sk", "skaddr"], request: ["req"] } as const;

function keyedBy(role: Role): keyof typeof KEY_FIELDS {
  return role === "syn_ack" || role === "syn_ack_attempt" || role === "syn_ack_timer" ? "request" : "socket";
}

function socketReader(role: Role, format: EventFormat, facts: KernelFacts): SocketReader | undefined {
  const addresses = addressReader(format);
  if (addresses === undefined) return undefined;
  const number = (...names: readonly string[]) => numberReader(format, ...names);
  const [state, localPort, peerPort] = [number("st", "state"), number("lp", "sport"), peerPortReader(format)];
  const [netValid, netns] = [pointerCheck(format, "net"), number("ns")];
  const [cgroupValid, cgroupId] = [pointerCheck(format, "cgp"), bigReader(format, "cg")];
  const [ca, pending, retransmits, backoff] = [number("ca"), number("pnd"), number("rtm"), number("bko")];
  const [rto, srtt, cwnd, mss] = [number("rto"), number("srtt"), number("cwnd"), number("mss")];
  const [packetsOut, retransOut, lostOut] = [number("pout"), number("rout"), number("lout")];
  const [totalRetrans, bytesRetrans] = [number("tot"), bigReader(format, "byt")];
  const [seq, endSeq, tcpFlags] = [number("seq"), number("end"), number("tfl")];
  const [ackedAt, now] = [number("ack"), number("jif")];
  const caMask = (1 << facts.caState.width) - 1;
  const isSynAck = keyedBy(role) === "request";
  const { hz } = facts;
  const read: SocketReader = (view, offset, key) => {
    const ends = addresses(view, offset, key);
    if (ends === undefined) return "unknown-family";
    const caByte = ca?.(view, offset);
    const jiffies = rto?.(view, offset);
    const srttUs8 = srtt?.(view, offset);
    return {
      key,
      state: isSynAck ? TCP_NEW_SYN_RECV : (state?.(view, offset) ?? 0),
      ipVersion: ends.ipVersion,
      localAddress: ends.local,
      localPort: localPort?.(view, offset) ?? 0,
      peerAddress: ends.peer,
      peerPort: peerPort?.(view, offset) ?? 0,
      // A dereference that failed leaves what the buffer held before (kernel/trace/trace_probe_tmpl.h): the pointer tells.
      netns: netValid(view, offset) ? netns?.(view, offset) : undefined,
      cgroupId: cgroupValid(view, offset) ? cgroupId?.(view, offset) : undefined,
      caState: caByte === undefined ? undefined : (caByte >>> facts.caState.shift) & caMask,
      pending: pending?.(view, offset),
      retransmits: retransmits?.(view, offset),
      backoff: backoff?.(view, offset),
      rto: jiffies === undefined || hz === undefined ? undefined : jiffies / hz,
      srtt: srttUs8 ? (srttUs8 >>> 3) / 1e6 : undefined, // srtt_us is kept shifted left by 3; 0 before the first sample
      cwnd: cwnd?.(view, offset),
      mss: mss?.(view, offset),
      packetsOut: packetsOut?.(view, offset),
      retransOut: retransOut?.(view, offset),
      lostOut: lostOut?.(view, offset),
      totalRetrans: totalRetrans?.(view, offset),
      bytesRetrans: bytesRetrans?.(view, offset),
      seq: seq?.(view, offset),
      endSeq: endSeq?.(view, offset),
      tcpFlags: tcpFlags?.(view, offset),
      sinceAck: secondsBetween(ackedAt?.(view, offset), now?.(view, offset), hz),
    };
  };
  return isSynAck ? read : shareSockets(read, format, { addresses, state, localPort, peerPort });
}

/** Of two times in jiffies, which wrap at 32 bits; a socket that nothing was acknowledged to has 0 for the first. */
function secondsBetween(
  from: number | undefined,
  until: number | undefined,
  hz: number | undefined,
): number | undefined {
  if (!from || until === undefined || hz === undefined) return undefined;
  return ((until - from) >>> 0) / hz;
}

/** `skc_dport` is in network order, the tracepoints' `dport` in the host's. */
function peerPortReader(format: EventFormat): NumberReader | undefined {
  const raw = findField(format, ["dp"]);
  if (raw?.size !== 2) return numberReader(format, "dport");
  const at = raw.offset;
  return (view, offset) => view.getUint16(offset + at, false);
}
