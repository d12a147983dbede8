import { spread } from "./slot-index.ts";

const LEAST_CELLS = 1024;
const FREE = 0;
/** Of an entry that was taken out: a walk goes on behind it. */
const GONE = -1;

/**
 * Finds numbered entries by any of the hashes that each of them has, in 5 to 11 bytes a hash; a Map takes thirty. The
 * hashes themselves are not kept: who looks for one is given some entries that do not have it, too.
 */
export class HashIndex {
  readonly #hashesOf: (entry: number) => ReadonlySet<number>;
  /** An entry plus one; as many cells as a power of two. */
  #cells = new Int32Array(LEAST_CELLS);
  /** Cells that are not free, and those of them with an entry. */
  #used = 0;
  #count = 0;

  constructor(hashesOf: (entry: number) => ReadonlySet<number>) {
    this.#hashesOf = hashesOf;
  }

  /** Hashes of all entries together. */
  get count(): number {
    return this.#count;
  }

  /** Every entry with a hash, and others; some of them more than once. */
  candidates(hash: number): readonly number[] {
    const found: number[] = [];
    for (let cell = this.#first(hash); this.#cells[cell] !== FREE; cell = this.#next(cell)) {
      const value = this.#cells[cell] ?? FREE;
      if (value !== GONE) found.push(value - 1);
    }
    return found;
  }

  /** Puts in an entry that is not here. */
  add(entry: number): void {
    const hashes = this.#hashesOf(entry);
    if ((this.#used + hashes.size) * 4 > this.#cells.length * 3) this.#makeRoom(hashes.size);
    for (const hash of hashes) this.#put(hash, entry);
  }

  /** Takes out an entry, whose hashes are still what they were. */
  delete(entry: number): void {
    for (const hash of this.#hashesOf(entry)) {
      for (let cell = this.#first(hash); this.#cells[cell] !== FREE; cell = this.#next(cell)) {
        // Cells of its other hashes that are met on the way are to go as well.
        if (this.#cells[cell] !== entry + 1) continue;
        this.#cells[cell] = GONE;
        this.#count--;
      }
    }
  }

  #first(hash: number): number {
    return spread(hash) & (this.#cells.length - 1);
  }

  #next(cell: number): number {
    return (cell + 1) & (this.#cells.length - 1);
  }

  #put(hash: number, entry: number): void {
    let cell = this.#first(hash);
    while (this.#cells[cell] !== FREE) cell = this.#next(cell);
    this.#cells[cell] = entry + 1;
    this.#used++;
    this.#count++;
  }

  /** Puts all in anew, without what is gone, so that no more than half of the cells are in use with what comes. */
  #makeRoom(more: number): void {
    const entries = new Set<number>();
    for (const value of this.#cells) if (value !== FREE && value !== GONE) entries.add(value - 1);
    let length = this.#cells.length;
    while (length < (this.#count + more) * 2) length *= 2;
    this.#cells = new Int32Array(length);
    this.#used = this.#count = 0;
    for (const entry of entries) for (const hash of this.#hashesOf(entry)) this.#put(hash, entry);
  }
}
