/** No entry. */
export const NONE = -1;

const LEAST_CELLS = 1024;
/** Cells in use of four, at most. */
const FULL = 3;

/**
 * Finds numbered entries by a hash, in 5 to 11 bytes each; a Map takes thirty. The entries themselves lie elsewhere: who
 * looks for one walks along those with a hash like its own, and looks which it is.
 */
export class SlotIndex {
  readonly #hashOf: (entry: number) => number;
  /** An entry plus one; 0 is free. As many cells as a power of two. */
  #cells = new Int32Array(LEAST_CELLS);
  #count = 0;

  constructor(hashOf: (entry: number) => number) {
    this.#hashOf = hashOf;
  }

  /** The cell where the walk along a hash begins. */
  first(hash: number): number {
    return spread(hash) & (this.#cells.length - 1);
  }

  next(cell: number): number {
    return (cell + 1) & (this.#cells.length - 1);
  }

  /** The entry in a cell; NONE ends the walk. */
  at(cell: number): number {
    return (this.#cells[cell] ?? 0) - 1;
  }

  add(entry: number): void {
    if (++this.#count * 4 > this.#cells.length * FULL) this.#grow();
    this.#put(entry);
  }

  /** Takes an entry out; those behind it move up, so that no walk ends too early. */
  delete(entry: number): void {
    let hole = this.first(this.#hashOf(entry));
    while (this.at(hole) !== entry) {
      if (this.at(hole) === NONE) throw new RangeError(`Cannot take out entry ${entry}: it is not here`);
      hole = this.next(hole);
    }
    this.#count--;
    const mask = this.#cells.length - 1;
    for (let cell = this.next(hole); this.at(cell) !== NONE; cell = this.next(cell)) {
      const home = this.first(this.#hashOf(this.at(cell)));
      // It may stand in the hole only where its own walk passes the hole.
      if (((cell - home) & mask) < ((cell - hole) & mask)) continue;
      this.#cells[hole] = this.#cells[cell] ?? 0;
      hole = cell;
    }
    this.#cells[hole] = 0;
  }

  #put(entry: number): void {
    let cell = this.first(this.#hashOf(entry));
    while (this.at(cell) !== NONE) cell = this.next(cell);
    this.#cells[cell] = entry + 1;
  }

  #grow(): void {
    const before = this.#cells;
    this.#cells = new Int32Array(before.length * 2);
    for (const cell of before) if (cell !== 0) this.#put(cell - 1);
  }
}

/** Addresses of a node lie side by side, and would make long walks (the last step of MurmurHash3). */
export function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}
