/** Somebody's time with an address, as far as the API tells when it was. Times are Unix milliseconds. */
export interface Hold<T> {
  readonly holder: T;
  /** It cannot have begun before. */
  readonly earliestMs: number;
  /** By then it had begun. */
  readonly certainMs: number;
  /** Then it still lasted; -Infinity where nothing says so. */
  readonly lastSureMs: number;
  /** The second or so around which it began, by the object's own word: the order of two holds. */
  readonly begunMs: number;
  /** It is over since; undefined while nothing says so. */
  readonly releasedMs: number | undefined;
  /** It certainly lasts: the holder is there, and would have told before it goes. */
  readonly lasts: boolean;
}

/** What a moment between two holders gets. */
export const AMBIGUOUS = Symbol("ambiguous");

/** Two times of objects whose difference is within this may be in either order: whole seconds and two clocks. */
const SAME_TIME_MS = 3000;

/**
 * Who held an address when. An address passes from a holder to its successor at a moment that the API does not tell;
 * the successor's `earliestMs` and the predecessor's `lastSureMs` bound it from below, the successor's `certainMs` from
 * above. Before that stretch the address is the predecessor's, even after its end; after it the successor's; within it
 * nobody's. Without a predecessor there is no such stretch: the address is the holder's from `earliestMs` on.
 */
export class AddressIntervals<T> {
  /** The holds of an address from old to new; most have one, which stands for itself. */
  readonly #holds = new Map<string, Hold<T> | Hold<T>[]>();

  get size(): number {
    return this.#holds.size;
  }

  add(address: string, hold: Hold<T>): void {
    const known = this.#holds.get(address);
    if (known === undefined) {
      this.#holds.set(address, hold);
      return;
    }
    const holds = asList(known);
    let at = holds.length;
    for (let before = holds[at - 1]; before !== undefined && isBefore(hold, before); before = holds[at - 1])
      at--;
    this.#holds.set(address, holds.toSpliced(at, 0, hold));
  }

  /** Puts a hold in another's place in the succession. */
  replace(address: string, hold: Hold<T>, by: Hold<T>): void {
    const known = this.#holds.get(address);
    if (known === undefined) return;
    const holds = asList(known).map((each) => (each === hold ? by : each));
    this.#set(address, holds);
  }

  delete(address: string, hold: Hold<T>): void {
    const known = this.#holds.get(address);
    if (known === undefined) return;
    this.#set(
      address,
      asList(known).filter((each) => each !== hold),
    );
  }

  /** The newest hold of an address that is this holder's. */
  holdOf(address: string, holder: T): Hold<T> | undefined {
    const known = this.#holds.get(address);
    return known === undefined ? undefined : asList(known).findLast((hold) => hold.holder === holder);
  }

  has(address: string): boolean {
    return this.#holds.has(address);
  }

  /** Whether nobody is known to have had the address after this hold. */
  isNewest(address: string, hold: Hold<T>): boolean {
    const known = this.#holds.get(address);
    return known !== undefined && asList(known).at(-1) === hold;
  }

  /** Whose the address was at a time. */
  at(address: string, unixMs: number): Hold<T> | typeof AMBIGUOUS | undefined {
    const known = this.#holds.get(address);
    if (known === undefined) return undefined;
    if (!Array.isArray(known)) return unixMs >= known.earliestMs ? known : undefined;
    for (let i = known.length - 1; i >= 0; i--) {
      const hold = known[i];
      if (hold === undefined) break;
      const before = known[i - 1];
      if (before === undefined) return unixMs >= hold.earliestMs ? hold : undefined;
      if (unixMs >= hold.certainMs) return hold;
      if (unixMs >= Math.max(hold.earliestMs, before.lastSureMs)) {
        return hold.holder === before.holder ? hold : AMBIGUOUS;
      }
    }
    return undefined;
  }

  #set(address: string, holds: Hold<T>[]): void {
    const [only] = holds;
    if (only === undefined) this.#holds.delete(address);
    else this.#holds.set(address, holds.length === 1 ? only : holds);
  }
}

function asList<T>(holds: Hold<T> | Hold<T>[]): Hold<T>[] {
  return Array.isArray(holds) ? holds : [holds];
}

/** Whether a hold that is told of now began before one that is known: else it is its successor. */
function isBefore<T>(hold: Hold<T>, known: Hold<T>): boolean {
  const [over, knownOver] = [hold.releasedMs !== undefined, known.releasedMs !== undefined];
  // Who has the address took it from whoever had it and is over.
  if (hold.lasts && knownOver) return false;
  if (known.lasts && over) return true;
  const laterMs = hold.begunMs - known.begunMs;
  if (Math.abs(laterMs) > SAME_TIME_MS) return laterMs < 0;
  return over && (!knownOver || laterMs < 0);
}
