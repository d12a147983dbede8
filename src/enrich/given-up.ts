/** Things remembered; when full, the one asked for the longest ago is forgotten. */
const MAX = 4096;

/**
 * Remembers for what an event has waited in vain, so that others do not wait for it again. It is forgotten when no
 * event has asked for it for a while, or when it can be had after all.
 */
export class GivenUp {
  readonly #forgetNanos: number;
  /** Time of the last question; the longest ago comes first. */
  readonly #askedAt = new Map<string, number>();

  constructor(forgetNanos: number) {
    this.#forgetNanos = forgetNanos;
  }

  get size(): number {
    return this.#askedAt.size;
  }

  add(what: string, now: number): void {
    this.#askedAt.delete(what);
    this.#askedAt.set(what, now);
    if (this.#askedAt.size <= MAX) return;
    for (const oldest of this.#askedAt.keys()) {
      this.#askedAt.delete(oldest);
      return;
    }
  }

  /** Whether it was given up; asking keeps it so. */
  has(what: string, now: number): boolean {
    const asked = this.#askedAt.get(what);
    if (asked === undefined) return false;
    this.#askedAt.delete(what);
    if (now - asked > this.#forgetNanos) return false;
    this.#askedAt.set(what, now);
    return true;
  }

  forget(what: string): void {
    this.#askedAt.delete(what);
  }
}
