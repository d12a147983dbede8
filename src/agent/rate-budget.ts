export interface RateBudgetOptions {
  /** How many at once. */
  readonly burst: number;
  /** How many a second after them. */
  readonly perSecond: number;
}

/** How often something may be done: a burst, and then a trickle. Its clock, in ms, never goes back. */
export class RateBudget {
  readonly #options: RateBudgetOptions;
  #left: number;
  #atMs: number | undefined;

  constructor(options: RateBudgetOptions) {
    this.#options = options;
    this.#left = options.burst;
  }

  /** Takes one from the budget; false where none is left. */
  take(nowMs: number): boolean {
    const { burst, perSecond } = this.#options;
    const passedMs = nowMs - (this.#atMs ?? nowMs);
    this.#atMs = nowMs;
    this.#left = Math.min(burst, this.#left + (passedMs / 1000) * perSecond);
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
