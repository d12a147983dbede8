/** Keys kept at most twice over. A list names the pods of a workload one after the other. */
const DEFAULT_LIMIT = 4096;

/**
 * Gives one and the same value for equal keys, so that what repeats is in memory once. Keys that were not asked for
 * during the last `limit` new ones are forgotten: their values live on where they are used, but are shared no more.
 */
export class Interner<T> {
  readonly #limit: number;
  #recent = new Map<string, T>();
  #older = new Map<string, T>();

  constructor(limit: number = DEFAULT_LIMIT) {
    this.#limit = limit;
  }

  /** The value of a key; made by `make` where there is none. */
  get(key: string, make: (key: string) => T): T {
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    // A key may be a piece of a longer text, which it would keep in memory as a whole.
    const ownKey = copyText(key);
    const value = this.#older.get(key) ?? make(ownKey);
    if (this.#recent.size >= this.#limit) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(ownKey, value);
    return value;
  }
}

/** A text of its own with the same characters: V8 keeps the whole of a text of which only a piece is used. */
export function copyText(text: string): string {
  return Buffer.from(text, "utf8").toString("utf8");
}
