import { readFileSync } from "node:fs";
import { formatIpv6 } from "../event/ip-address.ts";

export interface HostAddressesOptions {
  readonly procRoot: string;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
}

const READ_INTERVAL_MS = 5_000;
/** fib_trie holds every route as well: reading it may take this part of the time at most. */
const MAX_SHARE = 0.002;

/** The addresses of the network namespace of process 1, as they were a few seconds ago at most. */
export class HostAddresses {
  readonly #procRoot: string;
  readonly #now: () => number;
  #addresses: ReadonlySet<string> = new Set();
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor({ procRoot, now }: HostAddressesOptions) {
    this.#procRoot = procRoot;
    this.#now = now;
  }

  /** Loopback addresses do not count: every network namespace has them. */
  has(address: string): boolean {
    return this.#addresses.has(address);
  }

  /** Reads them again when that is due. For about once a second. */
  refresh(): void {
    const start = this.#now();
    if (start < this.#nextMs) return;
    // /proc/PID/net needs no privilege, unlike /proc/PID/ns (fs/proc/proc_net.c).
    const ipv4 = parseFibTrie(this.#read("fib_trie"));
    this.#addresses = new Set([...ipv4, ...parseIfInet6(this.#read("if_inet6"))]);
    const end = this.#now();
    this.#nextMs = end + Math.max(READ_INTERVAL_MS, (end - start) / MAX_SHARE);
  }

  /** Empty where the file does not exist: a kernel without IPv6, a /proc without process 1. */
  #read(name: string): string {
    try {
      return readFileSync(`${this.#procRoot}/1/net/${name}`, "latin1");
    } catch {
      return "";
    }
  }
}

/** Local IPv4 addresses out of /proc/PID/net/fib_trie (net/ipv4/fib_trie.c), without 127.0.0.0/8. */
export function parseFibTrie(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  const leaf = "|-- ";
  for (let at = text.indexOf("/32 host LOCAL"); at >= 0; at = text.indexOf("/32 host LOCAL", at + 1)) {
    const start = text.lastIndexOf(leaf, at) + leaf.length;
    const address = text.slice(start, text.indexOf("\n", start));
    if (!address.startsWith("127.")) found.add(address);
  }
  return found;
}

/** Addresses out of /proc/PID/net/if_inet6 (net/ipv6/addrconf.c), in canonical text, without ::1. */
export function parseIfInet6(text: string): readonly string[] {
  const found: string[] = [];
  for (const line of text.split("\n")) {
    if (!/^[0-9a-f]{32} /.test(line)) continue;
    const word = (at: number) => Number.parseInt(line.slice(at, at + 8), 16);
    const address = formatIpv6([word(0), word(8), word(16), word(24)]);
    if (address !== "::1") found.push(address);
  }
  return found;
}
