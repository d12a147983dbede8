import { closeSync } from "node:fs";
import { endianness } from "node:os";
import type { Libc } from "../syscall/libc.ts";
import {
  type ConntrackAnswer,
  type ConntrackError,
  type ConntrackPair,
  type ConntrackSource,
  type ConntrackSourceCounts,
  NO_ENTRY,
  NO_SOURCE_COUNTS,
} from "./conntrack-answer.ts";
import { decodeReply, fillQuery, prepareQuery } from "./conntrack-message.ts";

/** include/uapi/linux/netlink.h */
export const NETLINK_NETFILTER = 12;

/** include/uapi/asm-generic/errno-base.h, errno.h */
const EPERM = 1;
const ENOENT = 2;
const EINTR = 4;
const EAGAIN = 11;
const ENOBUFS = 105;

/** An entry with every optional attribute is below 1 KiB. */
const BUFFER_SIZE = 8192;
/** Reads for one answer: stale ones, overruns and signals before it. */
const MAX_READS = 1024;

export interface NetlinkConntrackOptions {
  /** A NETLINK_NETFILTER socket that does not wait, of the namespace to ask; closed by dispose. */
  readonly fd: number;
}

/**
 * Asks for one entry at a time: IPCTNL_MSG_CT_GET by the pair as original tuple. The kernel's hash holds both
 * tuples of an entry, so this one request finds it whichever end asks (ctnetlink_get_conntrack() in
 * net/netfilter/nf_conntrack_netlink.c), at a cost that does not grow with the table. The kernel answers inside
 * the write, so that nothing ever waits. Only zone 0, the default: entries of other zones are not found.
 */
export class NetlinkConntrack implements ConntrackSource {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(new ArrayBuffer(BUFFER_SIZE));
  readonly #view = new DataView(this.#buffer.buffer);
  readonly #ipv4 = prepareQuery(4, { littleEndian: endianness() === "LE" });
  readonly #ipv6 = prepareQuery(6, { littleEndian: endianness() === "LE" });
  #sequence = 0;
  #stale = 0;
  #closed = false;

  constructor(libc: Libc, { fd }: NetlinkConntrackOptions) {
    this.#libc = libc;
    this.#fd = fd;
  }

  get counts(): ConntrackSourceCounts {
    return { ...NO_SOURCE_COUNTS, stale: this.#stale };
  }

  ask(pair: ConntrackPair): ConntrackAnswer {
    const query = pair.ipVersion === 4 ? this.#ipv4 : this.#ipv6;
    this.#sequence = (this.#sequence + 1) >>> 0;
    if (this.#closed) return failed("unreadable");
    if (!fillQuery(query, pair, this.#sequence)) return failed("bad_address");
    let put = this.#libc.write(this.#fd, query.bytes);
    if (put === -EINTR) put = this.#libc.write(this.#fd, query.bytes);
    if (put < 0) return failedBy(-put);
    for (let reads = 0; reads < MAX_READS; reads++) {
      const got = this.#libc.read(this.#fd, this.#buffer);
      if (got === -EINTR) continue;
      if (got < 0) return failedBy(-got);
      const reply = decodeReply(this.#view, got, query);
      if (reply.kind === "stale") this.#stale++;
      else if (reply.kind !== "errno") return reply;
      else return reply.errno === ENOENT ? NO_ENTRY : failedBy(reply.errno);
    }
    return failed("no_reply");
  }

  [Symbol.dispose](): void {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }
}

function failedBy(errno: number): ConntrackAnswer {
  if (errno === EPERM) return failed("refused");
  if (errno === EAGAIN) return failed("no_reply");
  return failed(errno === ENOBUFS ? "overrun" : "errno");
}

function failed(error: ConntrackError): ConntrackAnswer {
  return { kind: "failed", error };
}
