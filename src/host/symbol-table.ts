/** Nothing in the kernel is a function this long: an address farther from the last symbol is not in it. */
const MAX_FUNCTION_BYTES = 1 << 20;
const TWO_POW_32 = 2 ** 32;
const DOT = 0x2e;
const DOLLAR = 0x24;
/** Padding in front of a function, not the function: `__pfx_` since 6.2, `__cfi_` with clang's kCFI. */
const PADDING_PREFIXES = ["__pfx_", "__cfi_"].map((prefix) => Buffer.from(prefix));

/** Symbols by address, in columns: 61,000 functions take about 2 MiB and no JavaScript string. */
export interface SymbolTable {
  /** Halves of the addresses, ascending; of several names for one address the kernel's first comes first. */
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;
  readonly nameStarts: Uint32Array;
  readonly nameEnds: Uint32Array;
  readonly names: Buffer;
}

/** The function that holds an address, as kallsyms_lookup() finds it: the last one at or below, and of its names the first. */
export function findSymbol(table: SymbolTable, address: bigint): string | undefined {
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

/** Takes symbols in any order, and makes a table of them. */
export class SymbolTableBuilder {
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

  /** Adds a name by the whole address. */
  addName(address: bigint, name: string): void {
    const bytes = Buffer.from(name);
    this.add(highHalf(address), lowHalf(address), bytes, 0, bytes.length);
  }

  /** The table, which takes the builder's memory along. */
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
