/** What to say of a message that comes again and again. */
export interface Said {
  /** How often it came since it was said last, and was kept back. */
  readonly repeated: number;
}

interface Kept {
  /** When it was said last, in ms. */
  saidMs: number;
  repeated: number;
}

/** The same words are said again after this long, in ms. */
const EVERY_MS = 60_000;
/** Messages that are remembered; of more, the one said longest ago is forgotten, with its count. */
const MAX_KEPT = 256;

/** Lets each message through once in a while, and counts what it keeps back. Its clock never goes back. */
export class RepeatLimit {
  readonly #everyMs: number;
  /** The one said longest ago first. */
  readonly #kept = new Map<string, Kept>();

  constructor({ everyMs = EVERY_MS }: { readonly everyMs?: number } = {}) {
    this.#everyMs = everyMs;
  }

  /** Says whether the message may be said at this time; undefined: not now, it is counted. */
  offer(message: string, nowMs: number): Said | undefined {
    const kept = this.#kept.get(message);
    if (kept !== undefined && nowMs - kept.saidMs < this.#everyMs) {
      kept.repeated++;
      return undefined;
    }
    this.#say(message, nowMs);
    return { repeated: kept?.repeated ?? 0 };
  }

  /** Messages that came again while they were kept back, and may be said now; what has stayed away is forgotten. */
  due(nowMs: number): readonly (readonly [message: string, said: Said])[] {
    const due = [...this.#kept].filter(([, { saidMs }]) => nowMs - saidMs >= this.#everyMs);
    for (const [message, { repeated }] of due) {
      if (repeated > 0) this.#say(message, nowMs);
      else this.#kept.delete(message);
    }
    return due
      .filter(([, { repeated }]) => repeated > 0)
      .map(([message, { repeated }]) => [message, { repeated }] as const);
  }

  #say(message: string, nowMs: number): void {
    this.#kept.delete(message);
    if (this.#kept.size >= MAX_KEPT) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(message, { saidMs: nowMs, repeated: 0 });
  }
}
