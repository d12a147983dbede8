import { formatIpv4, formatIpv6 } from "../event/ip-address.ts";
import { writeIpv4, writeIpv6 } from "./address-bytes.ts";
import {
  type ConntrackError,
  type ConntrackPair,
  type ConntrackTranslation,
  UNTRANSLATED,
} from "./conntrack-answer.ts";

/** include/uapi/linux/netlink.h */
const NLMSG_HEADER = 16;
const NLMSG_ERROR = 2;
const NLM_F_REQUEST = 1;
const NLA_HEADER = 4;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** include/uapi/linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h: subsystem in the upper byte, message in the lower. */
const CT_NEW = 0x0100;
const CT_GET = 0x0101;
const NFGENMSG = 4;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V6_SRC = 3;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;

const AF_INET = 2;
const AF_INET6 = 10;
const IPPROTO_TCP = 6;

/** Offsets in the request: the message's header, three nested headers and one of the source address come first. */
const SEQUENCE = 8;
const SOURCE = NLMSG_HEADER + NFGENMSG + 3 * NLA_HEADER;

/** A request for one connection's entry, in a buffer that is filled again and again. */
export interface ConntrackQuery {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly ipVersion: 4 | 6;
  readonly littleEndian: boolean;
}

/** Lays out IPCTNL_MSG_CT_GET with one tuple; numbers are of the machine's byte order, addresses and ports of the network's. */
export function prepareQuery(
  ipVersion: 4 | 6,
  { littleEndian }: { readonly littleEndian: boolean },
): ConntrackQuery {
  const address = ipVersion === 4 ? 4 : 16;
  // An explicit ArrayBuffer: V8 keeps small typed arrays inside its heap, where they move.
  const memory = new ArrayBuffer(64 + 2 * address);
  const view = new DataView(memory);
  view.setUint32(0, memory.byteLength, littleEndian);
  view.setUint16(4, CT_GET, littleEndian);
  view.setUint16(6, NLM_F_REQUEST, littleEndian);
  view.setUint8(NLMSG_HEADER, ipVersion === 4 ? AF_INET : AF_INET6);
  let at = NLMSG_HEADER + NFGENMSG;
  const attribute = (type: number, payload: number, inside: number) => {
    view.setUint16(at, NLA_HEADER + payload, littleEndian);
    view.setUint16(at + 2, type, littleEndian);
    at += NLA_HEADER + inside;
  };
  const source = ipVersion === 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;
  attribute(CTA_TUPLE_ORIG | NLA_F_NESTED, memory.byteLength - at - NLA_HEADER, 0);
  attribute(CTA_TUPLE_IP | NLA_F_NESTED, 2 * (NLA_HEADER + address), 0);
  attribute(source, address, address);
  attribute(source + 1, address, address);
  attribute(CTA_TUPLE_PROTO | NLA_F_NESTED, memory.byteLength - at - NLA_HEADER, 0);
  attribute(CTA_PROTO_NUM, 1, 4);
  view.setUint8(at - 4, IPPROTO_TCP);
  attribute(CTA_PROTO_SRC_PORT, 2, 4);
  attribute(CTA_PROTO_DST_PORT, 2, 4);
  return { bytes: new Uint8Array(memory), view, ipVersion, littleEndian };
}

/** Puts a connection and a sequence number in; false where its addresses are none of the query's family. */
export function fillQuery(query: ConntrackQuery, pair: ConntrackPair, sequence: number): boolean {
  const { bytes, view, littleEndian } = query;
  const length = addressLength(query);
  const write = query.ipVersion === 4 ? writeIpv4 : writeIpv6;
  if (!write(pair.localAddress, bytes, SOURCE)) return false;
  if (!write(pair.peerAddress, bytes, SOURCE + length + NLA_HEADER)) return false;
  view.setUint16(sourcePort(query), pair.localPort);
  view.setUint16(sourcePort(query) + 8, pair.peerPort);
  view.setUint32(SEQUENCE, sequence, littleEndian);
  return true;
}

/** What came back for a query. */
export type ConntrackReply =
  | { readonly kind: "entry"; readonly translation: ConntrackTranslation | undefined }
  /** NLMSG_ERROR, with the errno as a positive number. */
  | { readonly kind: "errno"; readonly errno: number }
  /** Nothing here answers this query. */
  | { readonly kind: "stale" }
  | { readonly kind: "failed"; readonly error: ConntrackError };

const STALE: ConntrackReply = { kind: "stale" };

/** Decodes the first `length` bytes, as one read(2) of the socket gave them. Throws nothing, whatever they are. */
export function decodeReply(view: DataView, length: number, query: ConntrackQuery): ConntrackReply {
  const { littleEndian } = query;
  const sequence = query.view.getUint32(SEQUENCE, littleEndian);
  const got = Math.min(length, view.byteLength);
  for (let at = 0; at < got; ) {
    if (got - at < NLMSG_HEADER) return failed("short_message");
    const size = view.getUint32(at, littleEndian);
    if (size < NLMSG_HEADER || size > got - at) return failed("short_message");
    if (view.getUint32(at + SEQUENCE, littleEndian) === sequence)
      return decodeMessage(view, { at, end: at + size }, query);
    at += align(size);
  }
  return STALE;
}

interface Span {
  readonly at: number;
  readonly end: number;
}

function decodeMessage(view: DataView, { at, end }: Span, query: ConntrackQuery): ConntrackReply {
  const type = view.getUint16(at + 4, query.littleEndian);
  const body = at + NLMSG_HEADER;
  if (type === NLMSG_ERROR) {
    if (end - body < 4) return failed("short_message");
    return { kind: "errno", errno: -view.getInt32(body, query.littleEndian) };
  }
  if (type !== CT_NEW) return failed("wrong_type");
  if (end - body < NFGENMSG) return failed("short_message");
  const inside = attributes(view, { at: body + NFGENMSG, end }, query.littleEndian);
  if (inside === undefined) return failed("bad_attribute");
  const original = readTuple(view, inside.get(CTA_TUPLE_ORIG), query);
  const reply = readTuple(view, inside.get(CTA_TUPLE_REPLY), query);
  if (typeof original === "string") return failed(original);
  if (typeof reply === "string") return failed(reply);
  if (isAsked(view, original, query)) return translate(view, { far: reply, side: "backend", query });
  if (isAsked(view, reply, query)) return translate(view, { far: original, side: "client", query });
  return failed("other_connection");
}

/** Offsets of a tuple's four parts. */
interface Tuple {
  readonly source: number;
  readonly destination: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

function readTuple(view: DataView, span: Span | undefined, query: ConntrackQuery): Tuple | ConntrackError {
  if (span === undefined) return "no_tuple";
  const parts = attributes(view, span, query.littleEndian);
  if (parts === undefined) return "bad_attribute";
  const ip = parts.get(CTA_TUPLE_IP);
  const proto = parts.get(CTA_TUPLE_PROTO);
  if (ip === undefined || proto === undefined) return "no_tuple";
  const addresses = attributes(view, ip, query.littleEndian);
  const ports = attributes(view, proto, query.littleEndian);
  if (addresses === undefined || ports === undefined) return "bad_attribute";
  const first = query.ipVersion === 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;
  const found = [
    addresses.get(first),
    addresses.get(first + 1),
    ports.get(CTA_PROTO_SRC_PORT),
    ports.get(CTA_PROTO_DST_PORT),
  ];
  const sizes = [addressLength(query), addressLength(query), 2, 2];
  const offsets: number[] = [];
  for (const [index, part] of found.entries()) {
    if (part === undefined) return "no_tuple";
    if (part.end - part.at !== sizes[index]) return "bad_attribute";
    offsets.push(part.at);
  }
  const [source = 0, destination = 0, sourcePort = 0, destinationPort = 0] = offsets;
  return { source, destination, sourcePort, destinationPort };
}

/** The attributes of a span by type, without their headers; undefined where one does not fit. */
function attributes(view: DataView, { at, end }: Span, littleEndian: boolean): Map<number, Span> | undefined {
  const found = new Map<number, Span>();
  while (at < end) {
    if (end - at < NLA_HEADER) return undefined;
    const size = view.getUint16(at, littleEndian);
    if (size < NLA_HEADER || size > end - at) return undefined;
    found.set(view.getUint16(at + 2, littleEndian) & NLA_TYPE_MASK, { at: at + NLA_HEADER, end: at + size });
    at += align(size);
  }
  return found;
}

/** Whether a tuple of the answer is the one in the query. */
function isAsked(view: DataView, tuple: Tuple, query: ConntrackQuery): boolean {
  const length = addressLength(query);
  const destination = SOURCE + length + NLA_HEADER;
  for (let i = 0; i < length; i += 4) {
    if (view.getUint32(tuple.source + i) !== query.view.getUint32(SOURCE + i)) return false;
    if (view.getUint32(tuple.destination + i) !== query.view.getUint32(destination + i)) return false;
  }
  const port = sourcePort(query);
  return (
    view.getUint16(tuple.sourcePort) === query.view.getUint16(port) &&
    view.getUint16(tuple.destinationPort) === query.view.getUint16(port + 8)
  );
}

interface Far {
  /** The tuple of the other direction: its source is what the peer really is. */
  readonly far: Tuple;
  readonly side: "backend" | "client";
  readonly query: ConntrackQuery;
}

function translate(view: DataView, { far, side, query }: Far): ConntrackReply {
  const peer = SOURCE + addressLength(query) + NLA_HEADER;
  const port = view.getUint16(far.sourcePort);
  let same = port === query.view.getUint16(sourcePort(query) + 8);
  for (let i = 0; i < addressLength(query); i += 4)
    same &&= view.getUint32(far.source + i) === query.view.getUint32(peer + i);
  if (same) return UNTRANSLATED;
  return { kind: "entry", translation: { address: formatAddress(view, far.source, query), port, side } };
}

function formatAddress(view: DataView, at: number, { ipVersion }: ConntrackQuery): string {
  const word = (index: number) => view.getUint32(at + index * 4);
  return ipVersion === 4 ? formatIpv4(word(0)) : formatIpv6([word(0), word(1), word(2), word(3)]);
}

function failed(error: ConntrackError): ConntrackReply {
  return { kind: "failed", error };
}

function addressLength({ ipVersion }: ConntrackQuery): 4 | 16 {
  return ipVersion === 4 ? 4 : 16;
}

/** Offset of the source port in the query; the destination's is 8 bytes on. */
function sourcePort(query: ConntrackQuery): number {
  return 52 + 2 * addressLength(query);
}

/** NLMSG_ALIGN, NLA_ALIGN. */
function align(size: number): number {
  return (size + 3) & ~3;
}
