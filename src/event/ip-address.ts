/** "." less "0". */
const DOT = 46 - 48;

/** Formats an IPv4 address from its four bytes read as one big-endian number. */
export function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** Formats an IPv6 address from its four big-endian words in the canonical text form of RFC 5952. */
export function formatIpv6(words: Ipv6Words): string {
  const groups: number[] = [];
  for (const word of words) groups.push(word >>> 16, word & 0xffff);
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** Says whether four big-endian words are an IPv4-mapped address (::ffff:0:0/96, RFC 4291 §2.5.5.2). */
export function isIpv4Mapped(a: number, b: number, c: number): boolean {
  return a === 0 && b === 0 && c === 0xffff;
}

/** The four big-endian words of an IPv6 address. */
export type Ipv6Words = readonly [number, number, number, number];

/** Reads an IPv4 address in dotted decimal, without leading zeroes, as one number; undefined for any other text. */
export function parseIpv4(text: string): number | undefined {
  let word = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      if (part === 0) return undefined;
      part = part < 0 ? digit : part * 10 + digit;
      if (part > 255) return undefined;
    } else {
      if (digit !== DOT || part < 0 || ++dots > 3) return undefined;
      word = word * 256 + part;
      part = -1;
    }
  }
  return dots === 3 && part >= 0 ? word * 256 + part : undefined;
}

/** Reads an IPv6 address in any form of RFC 4291 §2.2; undefined for any other text, one with a zone too. */
export function parseIpv6(text: string): Ipv6Words | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const word = (at: number) => (groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0);
  return [word(0), word(2), word(4), word(6)];
}

/** An address in the one form used here: RFC 5952 for IPv6, a v4-mapped one as IPv4; undefined for text that is none. */
export function canonicalAddress(text: string): string | undefined {
  if (parseIpv4(text) !== undefined) return text;
  const words = parseIpv6(text);
  if (words === undefined) return undefined;
  return isIpv4Mapped(words[0], words[1], words[2]) ? formatIpv4(words[3]) : formatIpv6(words);
}

/** The 16-bit groups of one side of `::`; the last may be an IPv4 address where the text ends with it. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = last && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (word === undefined) return undefined;
    groups.push(word >>> 16, word & 0xffff);
  }
  return groups;
}

function hex(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (i < groups.length && groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
