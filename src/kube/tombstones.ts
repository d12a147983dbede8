/** How long and how many of what is gone are remembered. */
export interface TombstoneBounds {
  readonly keepMs: number;
  readonly maxCount: number;
}

/** Ten minutes outlast the retransmits of most connections to a pod that is gone (tcp_retries2 gives up after 15 or so). */
export const DEFAULT_TOMBSTONES: TombstoneBounds = { keepMs: 600_000, maxCount: 20_000 };

/** Most that one call of expire() forgets. */
const MAX_PER_CALL = 1000;

/** What is gone and is to be forgotten later, from old to new. */
export class Tombstones {
  readonly bounds: TombstoneBounds;
  /** Forgotten before their time, since there were more than the bound. */
  dropped = 0;
  #droppedUntilMs = Number.NEGATIVE_INFINITY;
  #nowMs = 0;
  /** A list with its first members used up: shifting each off would move the rest every time. */
  #graves: (Grave | undefined)[] = [];
  #first = 0;

  constructor(bounds: TombstoneBounds) {
    this.bounds = bounds;
  }

  get count(): number {
    return this.#graves.length - this.#first;
  }

  /** What was buried up to then had to make room; of what was buried later everything is remembered for its time. */
  get droppedUntilMs(): number {
    return this.#droppedUntilMs;
  }

  /** Something is forgotten that would not have had its time yet. */
  get areShort(): boolean {
    return this.#nowMs - this.#droppedUntilMs < this.bounds.keepMs;
  }

  /** Has `forget` called once, `keepMs` from now at the earliest, or as soon as there are too many. */
  add(forget: () => void, nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.#graves.push({ forget, addedMs: nowMs });
    if (this.count <= this.bounds.maxCount) return;
    this.dropped++;
    this.#droppedUntilMs = Math.max(this.#droppedUntilMs, this.#graves[this.#first]?.addedMs ?? nowMs);
    this.#forgetFirst();
  }

  /** Forgets what has had its time, a bounded number of them. */
  expire(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (let i = 0; i < MAX_PER_CALL; i++) {
      const first = this.#graves[this.#first];
      if (first === undefined || nowMs - first.addedMs < this.bounds.keepMs) return;
      this.#forgetFirst();
    }
  }

  #forgetFirst(): void {
    const grave = this.#graves[this.#first];
    this.#graves[this.#first++] = undefined;
    if (this.#first * 2 > this.#graves.length) {
      this.#graves = this.#graves.slice(this.#first);
      this.#first = 0;
    }
    grave?.forget();
  }
}

interface Grave {
  readonly forget: () => void;
  readonly addedMs: number;
}
