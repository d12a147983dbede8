import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** Nothing in the kernel is a function this long: an address farther from the last symbol is not in it. */
const MAX_FUNCTION_BYTES = 1n << 20n;
/** Bound of the resolved addresses kept; one stack names about 25 distinct ones in all. */
const MAX_CACHED = 4096;
const CHUNK_BYTES = 65_536;
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
    for (const [address, name] of list) builder.add(address, Buffer.from(name));
    return new KernelSymbols(builder.finish());
  }

  /** Number of symbols held. */
  get size(): number {
    return this.#table.addresses.length;
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
      addLine(builder, bytes.subarray(start, end));
      start = end + 1;
    }
    carry = bytes.slice(start);
  }
  addLine(builder, carry);
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

/** One line is `<hex address> <type> <name>[\t[module]]`; text is type t, T, w or W. */
function addLine(builder: TableBuilder, line: Uint8Array): void {
  const space = line.indexOf(SPACE);
  if (space < 1 || line.length < space + 4) return;
  const type = (line[space + 1] ?? 0) | 0x20;
  if (type !== 0x74 && type !== 0x77) return;
  const address = parseHex(line.subarray(0, space));
  if (address === undefined || address === 0n) return;
  const tab = line.indexOf(TAB, space + 3);
  builder.add(address, line.subarray(space + 3, tab < 0 ? line.length : tab));
}

function parseHex(digits: Uint8Array): bigint | undefined {
  let high = 0;
  let low = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = hexDigit(digits[i] ?? 0);
    if (digit < 0) return undefined;
    if (i < digits.length - 8) high = high * 16 + digit;
    else low = low * 16 + digit;
  }
  return (BigInt(high) << 32n) | BigInt(low);
}

function hexDigit(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const lower = char | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

interface SymbolTable {
  /** Ascending; of several names for one address the kernel's first comes first. */
  readonly addresses: BigUint64Array;
  readonly nameStarts: Uint32Array;
  readonly nameEnds: Uint32Array;
  readonly names: Buffer;
}

/** As kallsyms_lookup does: the last address at or below, and of its aliases the first. */
function lookUp(table: SymbolTable, address: bigint): string | undefined {
  const { addresses } = table;
  let low = 0;
  let high = addresses.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((addresses[middle] ?? 0n) <= address) low = middle + 1;
    else high = middle;
  }
  let index = low - 1;
  const found = addresses[index];
  if (found === undefined || address - found > MAX_FUNCTION_BYTES) return undefined;
  while (index > 0 && addresses[index - 1] === found) index -= 1;
  return table.names.toString("latin1", table.nameStarts[index], table.nameEnds[index]);
}

class TableBuilder {
  #addresses = new BigUint64Array(4096);
  #starts = new Uint32Array(4096);
  #ends = new Uint32Array(4096);
  #names = Buffer.alloc(65_536);
  #size = 0;
  #used = 0;
  #sorted = true;

  get size(): number {
    return this.#size;
  }

  add(address: bigint, name: Uint8Array): void {
    if (name[0] === DOLLAR || PADDING_PREFIXES.some((prefix) => startsWith(name, prefix))) return;
    const dot = name.indexOf(DOT, 1);
    const length = dot < 0 ? name.length : dot;
    this.#reserve(length);
    if (this.#size > 0 && address < (this.#addresses[this.#size - 1] ?? 0n)) this.#sorted = false;
    this.#addresses[this.#size] = address;
    this.#starts[this.#size] = this.#used;
    this.#names.set(name.subarray(0, length), this.#used);
    this.#used += length;
    this.#ends[this.#size] = this.#used;
    this.#size += 1;
  }

  finish(): SymbolTable {
    const order = Uint32Array.from({ length: this.#size }, (_, index) => index);
    // The kernel's own symbols are sorted; those of modules are not.
    if (!this.#sorted) order.sort((a, b) => this.#compare(a, b));
    const names = Buffer.alloc(this.#used);
    this.#names.copy(names, 0, 0, this.#used);
    return {
      addresses: BigUint64Array.from(order, (index) => this.#addresses[index] ?? 0n),
      nameStarts: Uint32Array.from(order, (index) => this.#starts[index] ?? 0),
      nameEnds: Uint32Array.from(order, (index) => this.#ends[index] ?? 0),
      names,
    };
  }

  #compare(a: number, b: number): number {
    const left = this.#addresses[a] ?? 0n;
    const right = this.#addresses[b] ?? 0n;
    return left < right ? -1 : left > right ? 1 : a - b;
  }

  #reserve(nameLength: number): void {
    if (this.#size === this.#addresses.length) {
      this.#addresses = grown(this.#addresses, new BigUint64Array(this.#size * 2));
      this.#starts = grown(this.#starts, new Uint32Array(this.#size * 2));
      this.#ends = grown(this.#ends, new Uint32Array(this.#size * 2));
    }
    if (this.#used + nameLength > this.#names.length) {
      this.#names = grown(this.#names, Buffer.alloc(this.#names.length * 2 + nameLength));
    }
  }
}

function grown<A extends Uint8Array | Uint32Array | BigUint64Array, B extends A>(from: A, into: B): B {
  if (from instanceof BigUint64Array && into instanceof BigUint64Array) into.set(from);
  else if (!(from instanceof BigUint64Array) && !(into instanceof BigUint64Array)) into.set(from);
  return into;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte);
}
