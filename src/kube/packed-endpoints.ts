import { parseIpv4 } from "../event/ip-address.ts";
import type { SlimEndpoint } from "./slim.ts";

/**
 * The endpoints of one slice as one text, `address uid` on a line each: a cluster has as many of them as pods, and few
 * are ever asked for. An object and two texts each would take four times as much.
 */
export class PackedEndpoints {
  readonly #lines: string;

  constructor(endpoints: readonly SlimEndpoint[]) {
    const lines = endpoints.map(({ address, podUid = "" }) => `${address} ${isWord(podUid) ? podUid : ""}\n`);
    this.#lines = ["\n", ...lines].join("");
  }

  has(address: string): boolean {
    return this.#lines.includes(`\n${address} `);
  }

  /** Every address, as often as it was given. */
  addresses(): readonly string[] {
    const lines = this.#lines.split("\n").slice(1, -1);
    return lines.map((line) => line.slice(0, line.indexOf(" ")));
  }

  /** Uids of the pods at an address; none of an endpoint that refers to no pod. */
  podUids(address: string): readonly string[] {
    const found: string[] = [];
    const start = `\n${address} `;
    for (let at = this.#lines.indexOf(start); at !== -1; at = this.#lines.indexOf(start, at + 1)) {
      const uid = this.#lines.slice(at + start.length, this.#lines.indexOf("\n", at + 1));
      if (uid !== "") found.push(uid);
    }
    return found;
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
