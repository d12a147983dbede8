import { findSymbol, type SymbolTable, SymbolTableBuilder } from "./symbol-table.ts";

/** Bound of the resolved addresses kept; one stack names about 25 distinct ones in all. */
const MAX_CACHED = 4096;

/** The kernel's functions by any address in them; what was asked for lately is remembered. */
export class KernelSymbols {
  readonly #table: SymbolTable;
  readonly #cache = new Map<bigint, string | undefined>();
  #evictions = 0;

  constructor(table: SymbolTable) {
    this.#table = table;
  }

  /** Makes the look-up from pairs of address and name, as a recording stores them. */
  static fromList(list: Iterable<readonly [address: bigint, name: string]>): KernelSymbols {
    const builder = new SymbolTableBuilder();
    for (const [address, name] of list) builder.addName(address, name);
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
    const name = findSymbol(this.#table, address);
    if (this.#cache.size >= MAX_CACHED) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
      this.#evictions += 1;
    }
    this.#cache.set(address, name);
    return name;
  }
}
