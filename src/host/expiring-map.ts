export interface ExpiringMapOptions {
  readonly ttlMs: number;
  readonly maxSize: number;
}

/** Values that are kept for a time, the newest `maxSize` of them. */
export class ExpiringMap<K, V> {
  readonly #ttlMs: number;
  readonly #maxSize: number;
  /** In the order in which they expire. */
  readonly #entries = new Map<K, { readonly value: V; readonly untilMs: number }>();
  #forgotten = 0;

  constructor({ ttlMs, maxSize }: ExpiringMapOptions) {
    this.#ttlMs = ttlMs;
    this.#maxSize = maxSize;
  }

  /** How many were dropped, for age or for want of room. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K, nowMs: number): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.untilMs > nowMs ? entry.value : undefined;
  }

  set(key: K, value: V, nowMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: nowMs + this.#ttlMs });
    if (this.#entries.size > this.#maxSize) this.#forgetFirst();
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  /** Drops what has expired. */
  expire(nowMs: number): void {
    for (const { untilMs } of this.#entries.values()) {
      if (untilMs > nowMs) return;
      this.#forgetFirst();
    }
  }

  #forgetFirst(): void {
    for (const key of this.#entries.keys()) {
      this.#entries.delete(key);
      this.#forgotten++;
      return;
    }
  }
}
