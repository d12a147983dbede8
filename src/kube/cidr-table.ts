import { parseIpv4, parseIpv6 } from "../event/ip-address.ts";

/** Answers that are kept: the same few addresses are asked for again and again. */
const MAX_ANSWERS = 4096;
const NOTHING = { value: undefined };
/** Bits before an IPv4 address in its v4-mapped form. */
const MAPPED_BITS = 96;

interface Length<T> {
  readonly bits: number;
  /** By the range's first address: its number or words. */
  readonly ranges: Map<number | string, { readonly value: T }>;
}

/** Values of address ranges, to be found by an address: the smallest range wins. One map per length of prefix. */
export class CidrTable<T> {
  /** From long to short. */
  readonly #ipv4: Length<T>[] = [];
  readonly #ipv6: Length<T>[] = [];
  readonly #answers = new Map<string, { readonly value: T | undefined }>();

  /** Gives a range its value; RangeError for text that is no range. */
  set(cidr: string, value: T): void {
    const range = this.#locate(cidr);
    if (range === undefined) throw new RangeError(`Cannot read range "${cidr}": it is no CIDR`);
    const { lengths, bits, key } = range;
    let length = lengths.find((each) => each.bits === bits);
    if (length === undefined) {
      length = { bits, ranges: new Map() };
      lengths.push(length);
      lengths.sort((a, b) => b.bits - a.bits);
    }
    length.ranges.set(key, { value });
    this.#answers.clear();
  }

  /** Whether text is a range, or an address as the range of itself. */
  isRange(cidr: string): boolean {
    return this.#locate(cidr) !== undefined;
  }

  /** The value of exactly this range; undefined for text that is no range. */
  get(cidr: string): T | undefined {
    const range = this.#locate(cidr);
    return range?.lengths.find((each) => each.bits === range.bits)?.ranges.get(range.key)?.value;
  }

  delete(cidr: string): void {
    const range = this.#locate(cidr);
    const at = range?.lengths.findIndex((each) => each.bits === range.bits) ?? -1;
    const length = range?.lengths[at];
    if (range === undefined || length === undefined) return;
    length.ranges.delete(range.key);
    if (length.ranges.size === 0) range.lengths.splice(at, 1);
    this.#answers.clear();
  }

  /** The value of the smallest range with an address. */
  find(address: string): T | undefined {
    if (this.#ipv4.length === 0 && this.#ipv6.length === 0) return undefined;
    const known = this.#answers.get(address);
    if (known !== undefined) return known.value;
    const value = this.#search(address);
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(address, value === undefined ? NOTHING : { value });
    return value;
  }

  #search(address: string): T | undefined {
    const word = parseIpv4(address);
    const words = word === undefined ? parseIpv6(address) : undefined;
    for (const { bits, ranges } of word === undefined ? this.#ipv6 : this.#ipv4) {
      const key = word !== undefined ? masked(word, bits) : words && ipv6Key(words, bits);
      const range = key === undefined ? undefined : ranges.get(key);
      if (range !== undefined) return range.value;
    }
    return undefined;
  }

  #locate(cidr: string): { lengths: Length<T>[]; bits: number; key: number | string } | undefined {
    const [base = "", bitsText, ...rest] = cidr.split("/");
    const [word, words] = [parseIpv4(base), parseIpv6(base)];
    const all = word === undefined ? 128 : 32;
    const bits = bitsText === undefined ? all : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : Infinity;
    if (rest.length > 0 || bits > all) return undefined;
    if (word !== undefined) return { lengths: this.#ipv4, bits, key: masked(word, bits) };
    if (words === undefined) return undefined;
    const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff && bits >= MAPPED_BITS;
    if (!isMapped) return { lengths: this.#ipv6, bits, key: ipv6Key(words, bits) };
    return { lengths: this.#ipv4, bits: bits - MAPPED_BITS, key: masked(words[3], bits - MAPPED_BITS) };
  }
}

function ipv6Key(words: readonly number[], bits: number): string {
  return words.map((word, i) => masked(word, bits - 32 * i)).join(" ");
}

/** The first `bits` bits of a word; a shift by 32 would be one by 0. */
function masked(word: number, bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? word : (word & (-1 << (32 - bits))) >>> 0;
}
