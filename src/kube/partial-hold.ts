import type { Hold } from "./address-intervals.ts";

/** When somebody had an address, but for its end. */
type HoldTimes<T> = Omit<Hold<T>, "releasedMs" | "lasts">;

/** Anybody with an end. */
interface Mortal {
  readonly endedMs: number | undefined;
  /** It may be over, for all that was told. */
  readonly mayHaveEnded: boolean;
}

/** Somebody's time with an address that need not be the whole of its own: a restarted sandbox gets other addresses. */
export class PartialHold<T extends Mortal> implements Hold<T> {
  readonly holder: T;
  readonly earliestMs: number;
  readonly certainMs: number;
  readonly lastSureMs: number;
  readonly #closedMs: number | undefined;

  /** A hold that lasts to `closedMs`, or as long as its holder. */
  constructor(hold: HoldTimes<T>, closedMs: number | undefined) {
    this.holder = hold.holder;
    this.earliestMs = hold.earliestMs;
    this.certainMs = hold.certainMs;
    this.lastSureMs = hold.lastSureMs;
    this.#closedMs = closedMs;
  }

  get releasedMs(): number | undefined {
    return this.#closedMs ?? this.holder.endedMs;
  }

  get lasts(): boolean {
    return this.#closedMs === undefined && !this.holder.mayHaveEnded;
  }

  /** The hold of an address that came to its holder later, when that was not told: it was seen at `receivedMs`. */
  static later<T extends Mortal>(holder: T, earliestMs: number, receivedMs: number): PartialHold<T> {
    const times = { earliestMs, certainMs: receivedMs, lastSureMs: 0 };
    return new PartialHold({ holder, ...times }, undefined);
  }

  /** What a hold was until its holder was seen without the address. */
  static closed<T extends Mortal>(hold: Hold<T>, lastSureMs: number, closedMs: number): PartialHold<T> {
    const { holder, earliestMs, certainMs } = hold;
    return new PartialHold({ holder, earliestMs, certainMs, lastSureMs }, closedMs);
  }
}
