import { formatIpv4, formatIpv6 } from "../event/ip-address.ts";
import { writeIpv4, writeIpv6 } from "./address-bytes.ts";
import {
  type ConntrackAnswer,
  type ConntrackPair,
  type ConntrackTranslation,
  UNTRANSLATED,
} from "./conntrack-answer.ts";

/**
 * A pair as a tuple stands in /proc/net/nf_conntrack (print_tuple() in net/netfilter/nf_conntrack_standalone.c), so
 * that a line is compared without being parsed; undefined where its addresses are none.
 */
export function formatTuple(pair: ConntrackPair): string | undefined {
  const local = procAddress(pair.localAddress, pair.ipVersion);
  const peer = procAddress(pair.peerAddress, pair.ipVersion);
  if (local === undefined || peer === undefined) return undefined;
  return `src=${local} dst=${peer} sport=${pair.localPort} dport=${pair.peerPort} `;
}

/** The kernel's form: `%pI4`, or `%pI6`, which never shortens. */
function procAddress(text: string, ipVersion: 4 | 6): string | undefined {
  const bytes = new Uint8Array(16);
  if (ipVersion === 4) return writeIpv4(text, bytes, 0) ? text : undefined;
  if (!writeIpv6(text, bytes, 0)) return undefined;
  return Buffer.from(bytes)
    .toString("hex")
    .replace(/.{4}(?=.)/g, "$&:");
}

/** What a line says about the tuple of `formatTuple()` that was found in it. */
export interface LineMatch {
  readonly tuple: string;
  readonly answer: ConntrackAnswer;
}

/**
 * Looks for one of the wanted tuples in a line of the file, such as
 * `ipv4     2 tcp      6 86399 ESTABLISHED src=… dst=… sport=… dport=… src=… dst=… sport=… dport=… [ASSURED] mark=0 zone=0 use=2`.
 * Lines of other protocols and other zones than 0, and those that are none, have none.
 */
export function matchLine(line: string, wanted: ReadonlyMap<string, ConntrackPair>): LineMatch | undefined {
  const original = tupleAt(line, 0);
  if (original === undefined || !isTcp(line)) return undefined;
  const reply = tupleAt(line, line.indexOf(original) + original.length);
  if (reply === undefined) return undefined;
  const opener = wanted.get(original);
  if (opener !== undefined && zoneOf(line, "orig") === "0")
    return match(original, { pair: opener, far: reply, side: "backend" });
  const answerer = wanted.get(reply);
  if (answerer !== undefined && zoneOf(line, "reply") === "0")
    return match(reply, { pair: answerer, far: original, side: "client" });
  return undefined;
}

/** `ipv6     10 tcp      6 431999 …`: the protocol is the third word. */
function isTcp(line: string): boolean {
  const at = line.indexOf(" tcp ");
  return at > 0 && at < 16;
}

/** The tuple's text from `src=` to the blank behind its last number. */
function tupleAt(line: string, from: number): string | undefined {
  const start = line.indexOf("src=", from);
  if (start < 0) return undefined;
  const last = line.indexOf("dport=", start);
  const end = last < 0 ? -1 : line.indexOf(" ", last);
  return end < 0 ? undefined : line.slice(start, end + 1);
}

/** ct_show_zone(): `zone=` is of both directions, `zone-orig=` and `zone-reply=` of one; the other is in zone 0 then. */
function zoneOf(line: string, direction: "orig" | "reply"): string {
  const zone = / zone(?:-(orig|reply))?=(\d+)/.exec(line);
  return zone === null || (zone[1] ?? direction) !== direction ? "0" : (zone[2] ?? "0");
}

interface Found {
  readonly pair: ConntrackPair;
  readonly far: string;
  readonly side: ConntrackTranslation["side"];
}

function match(tuple: string, { pair, far, side }: Found): LineMatch | undefined {
  const fields = /^src=(\S+) dst=\S+ sport=(\d{1,5}) dport=/.exec(far);
  const address = readAddress(fields?.[1] ?? "", pair.ipVersion);
  const port = Number(fields?.[2]);
  if (address === undefined || !(port <= 0xffff)) return undefined;
  if (address === pair.peerAddress && port === pair.peerPort) return { tuple, answer: UNTRANSLATED };
  return { tuple, answer: { kind: "entry", translation: { address, port, side } } };
}

function readAddress(text: string, ipVersion: 4 | 6): string | undefined {
  const view = new DataView(new ArrayBuffer(16));
  const bytes = new Uint8Array(view.buffer);
  if (ipVersion === 4) return writeIpv4(text, bytes, 0) ? formatIpv4(view.getUint32(0)) : undefined;
  if (!writeIpv6(text, bytes, 0)) return undefined;
  return formatIpv6([view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)]);
}
