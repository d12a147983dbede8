import { formatIpv4, formatIpv6, isIpv4Mapped } from "../event/ip-address.ts";
import { AF_INET, AF_INET6 } from "../event/kernel-tcp.ts";
import type { EventFormat } from "../tracefs/event-format.ts";
import { findField, numberReader } from "./field-reader.ts";

/** Both addresses of a socket as text; a v4-mapped pair is IPv4. */
export interface SocketAddresses {
  readonly ipVersion: 4 | 6;
  readonly local: string;
  readonly peer: string;
}

/** Reads both addresses of the record at `offset`; undefined for a family that TCP does not have. */
export type AddressReader = (view: DataView, offset: number, key: number) => SocketAddresses | undefined;

/** Bounds the memory of an AddressReader: sockets whose text is kept, a power of two. */
const SLOTS = 4096;

interface Slot {
  readonly key: number;
  readonly words: Uint32Array;
  readonly addresses: SocketAddresses;
}

/**
 * Compiles a reader for either kind of record: our fetch arguments (`fam s4 d4 s6 d6`) or the kernel's own
 * tracepoint fields (`family saddr daddr saddr_v6 daddr_v6`; no family before 5.15: v4 is v4-mapped there).
 * Text is made once per socket and checked against the bytes on every record.
 */
export function addressReader(format: EventFormat): AddressReader | undefined {
  const at = (size: number, names: readonly string[]) => {
    const field = findField(format, names);
    return field?.size === size ? field.offset : undefined;
  };
  const [local4, peer4] = [at(4, ["s4", "saddr"]), at(4, ["d4", "daddr"])];
  const [local6, peer6] = [at(16, ["s6", "saddr_v6"]), at(16, ["d6", "daddr_v6"])];
  if (local4 === undefined || peer4 === undefined) return undefined;
  const familyOf = numberReader(format, "fam", "family");
  const hasFamily = findField(format, ["fam", "family"]) !== undefined;
  const slots: (Slot | undefined)[] = new Array(SLOTS).fill(undefined);
  // What the family does not have stays 0.
  const [ipv4, ipv6] = [new Uint32Array(9), new Uint32Array(9)];
  [ipv4[8], ipv6[8]] = [AF_INET, AF_INET6];
  return (view, offset, key) => {
    const family = hasFamily ? familyOf?.(view, offset) : mappedFamily(view, offset, local6);
    const words = family === AF_INET ? ipv4 : ipv6;
    if (family === AF_INET) {
      words[3] = view.getUint32(offset + local4, false);
      words[7] = view.getUint32(offset + peer4, false);
    } else if (family === AF_INET6 && local6 !== undefined && peer6 !== undefined) {
      for (let i = 0; i < 4; i++) {
        words[i] = view.getUint32(offset + local6 + 4 * i, false);
        words[4 + i] = view.getUint32(offset + peer6 + 4 * i, false);
      }
    } else return undefined;
    const index = key & (SLOTS - 1);
    const slot = slots[index];
    if (slot !== undefined && slot.key === key && same(slot.words, words)) return slot.addresses;
    const addresses = formatPair(words);
    slots[index] = { key, words: words.slice(), addresses };
    return addresses;
  };
}

function mappedFamily(view: DataView, offset: number, local6: number | undefined): number {
  if (local6 === undefined) return AF_INET;
  const [a, b, c] = [0, 4, 8].map((i) => view.getUint32(offset + local6 + i, false));
  return isIpv4Mapped(a ?? 1, b ?? 1, c ?? 1) ? AF_INET : AF_INET6;
}

function same(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < 9; i++) if (a[i] !== b[i]) return false;
  return true;
}

function formatPair(words: Uint32Array): SocketAddresses {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, family = 0] = words;
  if (family === AF_INET || isIpv4Mapped(e, f, g)) {
    return { ipVersion: 4, local: formatIpv4(d), peer: formatIpv4(h) };
  }
  return { ipVersion: 6, local: formatIpv6([a, b, c, d]), peer: formatIpv6([e, f, g, h]) };
}
