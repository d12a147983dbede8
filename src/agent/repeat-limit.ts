/** What came again while it was kept back, and is to be said now. */
export interface Repeat<T> {
  readonly value: T;
  /** How often it came since it was said last, beside the once that saying it stands for. */
  readonly repeated: number;
}

interface Kept<T> {
  readonly value: T;
  /** When it was said last, in ms. */
  saidMs: number;
  repeated: number;
}

/** The same words are said again after this long, in ms. */
const EVERY_MS = 60_000;
/** What is remembered; of more, the one said longest ago is forgotten. */
const MAX_KEPT = 256;

/** Lets each of many things through once in a while, and counts what it keeps back. Its clock never goes back. */
export class RepeatLimit<T> {
  readonly #everyMs: number;
  /** The one said longest ago first. */
  readonly #kept = new Map<string, Kept<T>>();
  #forgotten = 0;

  constructor({ everyMs = EVERY_MS }: { readonly everyMs?: number } = {}) {
    this.#everyMs = everyMs;
  }

  /** What was kept back and can no longer be said as a repeat, since too many others came: a count of its own. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** How often it came before and was kept back, where it may be said at this time; undefined: not now, it is counted. */
  offer(key: string, { value, nowMs }: { readonly value: T; readonly nowMs: number }): number | undefined {
    const kept = this.#kept.get(key);
    if (kept !== undefined && nowMs - kept.saidMs < this.#everyMs) {
      kept.repeated++;
      return undefined;
    }
    const repeated = kept?.repeated ?? 0;
    this.#say(key, value, nowMs);
    return repeated;
  }

  /** What came again while it was kept back, and may be said now; what has stayed away is forgotten. */
  due(nowMs: number): readonly Repeat<T>[] {
    const due: Repeat<T>[] = [];
    for (const [key, { value, saidMs, repeated }] of [...this.#kept]) {
      if (nowMs - saidMs < this.#everyMs) break; // those behind it were said later
      if (repeated === 0) this.#kept.delete(key);
      else {
        due.push({ value, repeated: repeated - 1 });
        this.#say(key, value, nowMs);
      }
    }
    return due;
  }

  /** All that came again and was kept back, whatever the time: for the end. */
  drain(): readonly Repeat<T>[] {
    const all = [...this.#kept.values()].filter(({ repeated }) => repeated > 0);
    this.#kept.clear();
    return all.map(({ value, repeated }) => ({ value, repeated: repeated - 1 }));
  }

  #say(key: string, value: T, nowMs: number): void {
    this.#kept.delete(key);
    if (this.#kept.size >= MAX_KEPT) this.#forgetOldest();
    this.#kept.set(key, { value, saidMs: nowMs, repeated: 0 });
  }

  #forgetOldest(): void {
    for (const [key, { repeated }] of this.#kept) {
      this.#forgotten += repeated;
      this.#kept.delete(key);
      return;
    }
  }
}
