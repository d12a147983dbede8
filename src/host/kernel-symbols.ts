import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** Nothing in the kernel is a function this long: an address farther from the last symbol is not in it. */
const MAX_FUNCTION_BYTES = 1 << 20;
/** Bound of the resolved addresses kept; one stack names about 25 distinct ones in all. */
const MAX_CACHED = 4096;
const CHUNK_BYTES = 65_536;
const TWO_POW_32 = 2 ** 32;
const NEWLINE = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const DOT = 0x2e;
const DOLLAR = 0x24;
/** Padding in front of a function, not the function: `__pfx_` since 6.2, `__cfi_` with clang's kCFI. */
const PADDING_PREFIXES = ["__pfx_", "__cfi_"].map((prefix) => Buffer.from(prefix));

/** The kernel's text symbols by address: 61,000 functions take about 2 MiB and no JavaScript string. */
export class KernelSymbols {
  readonly #table: SymbolTable;
  readonly #cache = new Map<bigint, string | undefined>();
  #evictions = 0;

  constructor(table: SymbolTable) {
    this.#table = table;
  }

  /** Makes the look-up from pairs of address and name, as a recording stores them. */
  static fromList(list: Iterable<readonly [address: bigint, name: string]>): KernelSymbols {
    const builder = new TableBuilder();
    for (const [address, name] of list) {
      const bytes = Buffer.from(name);
      builder.add(highHalf(address), lowHalf(address), bytes, 0, bytes.length);
    }
    return new KernelSymbols(builder.finish());
  }

  /** Number of symbols held. */
  get size(): number {
    return this.#table.highs.length;
  }

  /** Resolved addresses that the cache's bound pushed out. */
  get evictions(): number {
    return this.#evictions;
  }

  /** Name of the function that holds `address`, without compiler suffixes; undefined where there is none. */
  resolve(address: bigint): string | undefined {
    if (this.#cache.has(address)) return this.#cache.get(address);
    const name = lookUp(this.#table, address);
    if (this.#cache.size >= MAX_CACHED) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
      this.#evictions += 1;
    }
    this.#cache.set(address, name);
    return name;
  }
}

/**
 * Reads `<procRoot>/kallsyms`. Gives undefined where the kernel has none or shows only zeros
 * (kernel.kptr_restrict, or no CAP_SYSLOG: kernel/ksyms_common.c).
 */
export function readKernelSymbols({ procRoot }: { readonly procRoot: string }): KernelSymbols | undefined {
  let fd: number;
  try {
    fd = openSync(join(procRoot, "kallsyms"), "r");
  } catch {
    return undefined;
  }
  try {
    return parseKernelSymbols(chunksOf(fd));
  } finally {
    closeSync(fd);
  }
}

/** Parses the text of kallsyms given in pieces of any size; undefined when no text symbol has an address. */
export function parseKernelSymbols(chunks: Iterable<Uint8Array>): KernelSymbols | undefined {
  const builder = new TableBuilder();
  let carry: Uint8Array = new Uint8Array(0);
  for (const chunk of chunks) {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      addLine(builder, bytes, start, end);
      start = end + 1;
    }
    carry = bytes.slice(start);
  }
  addLine(builder, carry, 0, carry.length);
  return builder.size === 0 ? undefined : new KernelSymbols(builder.finish());
}

function* chunksOf(fd: number): Generator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const length = readSync(fd, chunk, 0, CHUNK_BYTES, null);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

/**
 * One line is `<hex address> <type> <name>[\t[module]]`; text is type t, T, w or W. Works on indices and
 * 32-bit halves: an object or a bigint for each of 120,000 lines would cost 20 MiB.
 */
function addLine(builder: TableBuilder, bytes: Uint8Array, start: number, end: number): void {
  let high = 0;
  let low = 0;
  let at = start;
  for (; at < end && bytes[at] !== SPACE; at++) {
    const digit = hexDigit(bytes[at] ?? 0);
    if (digit < 0) return;
    high = (high * 16 + (low >>> 28)) >>> 0;
    low = (low * 16 + digit) >>> 0;
  }
  const type = (bytes[at + 1] ?? 0) | 0x20;
  const nameStart = at + 3;
  if (at === start || nameStart >= end || (type !== 0x74 && type !== 0x77) || (high === 0 && low === 0))
    return;
  let nameEnd = nameStart;
  while (nameEnd < end && bytes[nameEnd] !== TAB) nameEnd++;
  builder.add(high, low, bytes, nameStart, nameEnd);
}

function hexDigit(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const lower = char | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

interface SymbolTable {
  /** Halves of the addresses, ascending; of several names for one address the kernel's first comes first. */
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
  readonly nameStarts: Uint32Array;
  readonly nameEnds: Uint32Array;
  readonly names: Buffer;
}

/** As kallsyms_lookup does: the last address at or below, and of its aliases the first. */
function lookUp(table: SymbolTable, address: bigint): string | undefined {
  const { highs, lows } = table;
  const beyond = (index: number): number =>
    (highHalf(address) - (highs[index] ?? 0)) * TWO_POW_32 + (lowHalf(address) - (lows[index] ?? 0));
  let low = 0;
  let high = highs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (beyond(middle) >= 0) low = middle + 1;
    else high = middle;
  }
  let index = low - 1;
  if (index < 0 || beyond(index) > MAX_FUNCTION_BYTES) return undefined;
  while (index > 0 && lows[index - 1] === lows[index] && highs[index - 1] === highs[index]) index -= 1;
  return table.names.toString("latin1", table.nameStarts[index], table.nameEnds[index]);
}

class TableBuilder {
  #highs = new Uint32Array(4096);
  #lows = new Uint32Array(4096);
  #starts = new Uint32Array(4096);
  #ends = new Uint32Array(4096);
  #names = Buffer.from(new ArrayBuffer(65_536));
  #size = 0;
  #used = 0;
  #sorted = true;

  get size(): number {
    return this.#size;
  }

  /** Adds the name in `bytes[start, end)` without what the compiler put after its first dot. */
  add(high: number, low: number, bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start] === DOLLAR || PADDING_PREFIXES.some((prefix) => startsWith(bytes, start, prefix)))
      return;
    this.#reserve(end - start);
    this.#highs[this.#size] = high;
    this.#lows[this.#size] = low;
    this.#starts[this.#size] = this.#used;
    for (let at = start; at < end && (at === start || bytes[at] !== DOT); at++) {
      this.#names[this.#used++] = bytes[at] ?? 0;
    }
    this.#ends[this.#size] = this.#used;
    if (this.#size > 0 && this.#compare(this.#size - 1, this.#size) > 0) this.#sorted = false;
    this.#size += 1;
  }

  finish(): SymbolTable {
    const order = this.#sorted ? undefined : this.#order();
    const column = (array: Uint32Array<ArrayBuffer>) =>
      order === undefined ? resized(array, this.#size) : picked(array, order);
    return {
      highs: column(this.#highs),
      lows: column(this.#lows),
      nameStarts: column(this.#starts),
      nameEnds: column(this.#ends),
      names: Buffer.from(this.#names.buffer.transfer(this.#used)),
    };
  }

  /** The kernel's own symbols are sorted; those of modules are not. */
  #order(): Uint32Array {
    const order = new Uint32Array(this.#size);
    for (let index = 0; index < order.length; index++) order[index] = index;
    return order.sort((a, b) => this.#compare(a, b) || a - b);
  }

  #compare(a: number, b: number): number {
    const high = (this.#highs[a] ?? 0) - (this.#highs[b] ?? 0);
    return high !== 0 ? high : (this.#lows[a] ?? 0) - (this.#lows[b] ?? 0);
  }

  #reserve(nameLength: number): void {
    if (this.#size === this.#highs.length) {
      this.#highs = resized(this.#highs, 2 * this.#size);
      this.#lows = resized(this.#lows, 2 * this.#size);
      this.#starts = resized(this.#starts, 2 * this.#size);
      this.#ends = resized(this.#ends, 2 * this.#size);
    }
    if (this.#used + nameLength > this.#names.length) {
      const { buffer, length } = this.#names;
      this.#names = Buffer.from(buffer.transfer(length * 2 + nameLength));
    }
  }
}

/** Takes the array's memory along, so that none waits for a garbage collection that may never come. */
function resized(array: Uint32Array<ArrayBuffer>, length: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(array.buffer.transfer(length * array.BYTES_PER_ELEMENT));
}

function picked(array: Uint32Array, order: Uint32Array): Uint32Array {
  const result = new Uint32Array(order.length);
  for (let index = 0; index < order.length; index++) result[index] = array[order[index] ?? 0] ?? 0;
  return result;
}

function startsWith(bytes: Uint8Array, start: number, prefix: Uint8Array): boolean {
  for (let index = 0; index < prefix.length; index++)
    if (bytes[start + index] !== prefix[index]) return false;
  return true;
}

function highHalf(address: bigint): number {
  return Number(address >> 32n);
}

function lowHalf(address: bigint): number {
  return Number(address & 0xffff_ffffn);
}
