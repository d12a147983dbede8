import { parseIpv4 } from "../event/ip-address.ts";
import { formatUid, uidWords } from "./packed-uid.ts";
import type { SlimEndpoint } from "./slim.ts";

/** Characters of a row, a byte each: an IPv4 address and a uid. */
const ROW = 20;
const WORD = 4;
const NO_LINES = "\n";

/**
 * The endpoints of one slice as two texts, since a cluster has as many of them as pods, and few are ever asked for: an
 * object and two texts each would take several times as much.
 */
export class PackedEndpoints {
  /** Those with an IPv4 address and a uid as the API server makes it. V8 keeps a text without larger characters in a byte each. */
  readonly #rows: string;
  /** The others, `address uid` on a line each. */
  readonly #lines: string;

  constructor(endpoints: readonly SlimEndpoint[]) {
    const rows = Buffer.alloc(endpoints.length * ROW);
    const lines: string[] = [];
    let end = 0;
    for (const { address, podUid = "" } of endpoints) {
      const word = parseIpv4(address);
      const uid = word === undefined ? undefined : uidWords(podUid);
      if (word === undefined || uid === undefined) lines.push(`${address} ${isWord(podUid) ? podUid : ""}\n`);
      else for (const each of [word, ...uid]) end = rows.writeUInt32BE(each, end);
    }
    this.#rows = rows.toString("latin1", 0, end);
    this.#lines = lines.length === 0 ? NO_LINES : ["\n", ...lines].join("");
  }

  has(address: string): boolean {
    return this.#rowOf(address, 0) !== -1 || this.#lines.includes(`\n${address} `);
  }

  /** `addressHash` of every address. */
  hashes(): ReadonlySet<number> {
    const hashes = new Set<number>();
    for (let at = 0; at < this.#rows.length; at += ROW) hashes.add(this.#word(at) | 0);
    const lines = this.#lines.split("\n").slice(1, -1);
    for (const line of lines) hashes.add(addressHash(line.slice(0, line.indexOf(" "))));
    return hashes;
  }

  /** Uids of the pods at an address; none of an endpoint that refers to no pod. */
  podUids(address: string): readonly string[] {
    const found: string[] = [];
    for (let at = this.#rowOf(address, 0); at !== -1; at = this.#rowOf(address, at + ROW)) {
      const words = [1, 2, 3, 4].map((i) => this.#word(at + i * WORD));
      found.push(formatUid(Uint32Array.from(words), 0));
    }
    const start = `\n${address} `;
    for (let at = this.#lines.indexOf(start); at !== -1; at = this.#lines.indexOf(start, at + 1)) {
      const uid = this.#lines.slice(at + start.length, this.#lines.indexOf("\n", at + 1));
      if (uid !== "") found.push(uid);
    }
    return found;
  }

  /** Where the next row with an address begins, from one on; -1 where there is none. */
  #rowOf(address: string, from: number): number {
    const word = this.#rows === "" ? undefined : parseIpv4(address);
    if (word === undefined) return -1;
    for (let at = from; at < this.#rows.length; at += ROW) if (this.#word(at) === word) return at;
    return -1;
  }

  #word(at: number): number {
    const rows = this.#rows;
    const low = (rows.charCodeAt(at + 1) << 16) | (rows.charCodeAt(at + 2) << 8) | rows.charCodeAt(at + 3);
    return rows.charCodeAt(at) * 0x1000000 + low;
  }
}

/** A small integer for an address, most often its own; what has the same need not be the same address. */
export function addressHash(address: string): number {
  const word = parseIpv4(address);
  if (word !== undefined) return word | 0;
  let hash = 0;
  for (let i = 0; i < address.length; i++) hash = (Math.imul(hash, 31) + address.charCodeAt(i)) | 0;
  return hash;
}

/** Whoever writes a slice by hand may write anything for a uid; a pod's has no blanks. */
function isWord(text: string): boolean {
  return !/\s/.test(text);
}
