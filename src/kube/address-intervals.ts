/** Somebody's time with an address, as far as the API tells when it was. Times are Unix milliseconds. */
export interface Hold<T> {
  readonly holder: T;
  /** It cannot have begun before. */
  readonly earliestMs: number;
  /** By then it had begun. */
  readonly certainMs: number;
  /** Then it still lasted; 0 where nothing says so. */
  readonly lastSureMs: number;
  /** It is over since; undefined while nothing says so. */
  readonly releasedMs: number | undefined;
  /** It certainly lasts: the holder is there, and would have told before it goes. */
  readonly lasts: boolean;
}

/** What a moment gets that may be of either of two holders. */
export const AMBIGUOUS = Symbol("ambiguous");

/** A hold in its place in the succession. */
interface Place<T> {
  readonly hold: Hold<T>;
  /** From then on it is open whether this one had the address or one that stands before it; Infinity where it is not. */
  readonly openFromMs: number;
}

/**
 * Who held an address when. An address passes from a holder to its successor at a moment that the API does not tell;
 * the successor's `earliestMs` and the predecessor's `lastSureMs` bound it from below, the successor's `certainMs` from
 * above. Before that stretch the address is the predecessor's, even after its end; after it the successor's; within it
 * nobody's. Where it is open which of two came first, nobody has it from the first's `earliestMs` on. Without a
 * predecessor there is no such stretch: the address is the holder's from `earliestMs` on.
 */
export class AddressIntervals<T> {
  /** The holds of an address from old to new; most have one, which stands for itself. */
  readonly #places = new Map<string, Hold<T> | readonly Place<T>[]>();

  get size(): number {
    return this.#places.size;
  }

  add(address: string, hold: Hold<T>): void {
    const places = this.#list(address);
    let at = places.length;
    while (at > 0 && isBefore(hold, places[at - 1]?.hold ?? hold)) at--;
    const earlier = places.slice(0, at);
    const later = places.slice(at).map((place) => ({
      hold: place.hold,
      openFromMs: Math.min(place.openFromMs, openFromMs(place.hold, hold)),
    }));
    const own = earlier.map((place) => openFromMs(hold, place.hold));
    this.#set(address, [...earlier, { hold, openFromMs: Math.min(Infinity, ...own) }, ...later]);
  }

  /** Puts a hold in another's place in the succession. */
  replace(address: string, hold: Hold<T>, by: Hold<T>): void {
    const places = this.#list(address);
    this.#set(
      address,
      places.map((place) => (place.hold === hold ? { hold: by, openFromMs: place.openFromMs } : place)),
    );
  }

  /** Finds the place of a holder in the succession anew. */
  reorder(address: string, holder: T): void {
    const hold = this.holdOf(address, holder);
    if (hold === undefined || this.isOnly(address, hold)) return;
    this.delete(address, hold);
    this.add(address, hold);
  }

  delete(address: string, hold: Hold<T>): void {
    const places = this.#list(address);
    this.#set(
      address,
      places.filter((place) => place.hold !== hold),
    );
  }

  /** The newest hold of an address that is this holder's. */
  holdOf(address: string, holder: T): Hold<T> | undefined {
    return this.#list(address).findLast(({ hold }) => hold.holder === holder)?.hold;
  }

  has(address: string): boolean {
    return this.#places.has(address);
  }

  /** Whether nobody else is known to have had the address. */
  isOnly(address: string, hold: Hold<T>): boolean {
    return this.#places.get(address) === hold;
  }

  /** Whether nobody is known to have had the address after this hold. */
  isNewest(address: string, hold: Hold<T>): boolean {
    const known = this.#places.get(address);
    return known !== undefined && (isList(known) ? known.at(-1)?.hold : known) === hold;
  }

  /** Whose the address was at a time. */
  at(address: string, unixMs: number): Hold<T> | typeof AMBIGUOUS | undefined {
    const known = this.#places.get(address);
    if (known === undefined) return undefined;
    if (!isList(known)) return unixMs >= known.earliestMs ? known : undefined;
    for (let i = known.length - 1; i >= 0; i--) {
      const place = known[i];
      if (place === undefined) break;
      const { hold, openFromMs } = place;
      if (unixMs >= openFromMs) return AMBIGUOUS;
      if (unixMs >= hold.certainMs) return hold;
      const before = known[i - 1]?.hold;
      if (before === undefined || before.holder === hold.holder) {
        if (unixMs >= hold.earliestMs) return hold;
      } else if (unixMs >= Math.max(hold.earliestMs, before.lastSureMs)) return AMBIGUOUS;
    }
    return undefined;
  }

  /**
   * Whose the address was at a time at which its holder answered: it was there then. So not one whose end was told and
   * lies before that; but for `graceMs` after it no other is sure either. Where that leaves none, it is one not told of.
   */
  answering(address: string, unixMs: number, graceMs: number): Hold<T> | typeof AMBIGUOUS | undefined {
    const known = this.#places.get(address);
    if (known === undefined) return undefined;
    if (!isList(known)) {
      if (unixMs < known.earliestMs) return undefined;
      return known.releasedMs !== undefined && unixMs >= known.releasedMs ? AMBIGUOUS : known;
    }
    let found: Hold<T> | undefined;
    let hadHolder = false;
    for (const { hold, openFromMs } of known.toReversed()) {
      if (unixMs < hold.earliestMs) continue;
      hadHolder = true;
      const isOver = hold.releasedMs !== undefined && unixMs >= hold.releasedMs + graceMs;
      if (!isOver && found !== undefined && found.holder !== hold.holder) return AMBIGUOUS;
      if (!isOver) found ??= hold;
      // Who had it before this one has let go of it.
      if (unixMs >= hold.certainMs && unixMs < openFromMs) break;
    }
    if (found === undefined) return hadHolder ? AMBIGUOUS : undefined;
    return found.releasedMs !== undefined && unixMs >= found.releasedMs ? AMBIGUOUS : found;
  }

  #list(address: string): readonly Place<T>[] {
    const known = this.#places.get(address);
    if (known === undefined) return [];
    return isList(known) ? known : [{ hold: known, openFromMs: Infinity }];
  }

  #set(address: string, places: readonly Place<T>[]): void {
    const [only] = places;
    if (only === undefined) this.#places.delete(address);
    else this.#places.set(address, places.length === 1 ? only.hold : places);
  }
}

/** Whether a hold that is told of now stands before one that is known: each began within a stretch of its own. */
function isBefore<T>(hold: Hold<T>, known: Hold<T>): boolean {
  if (hold.earliestMs >= known.certainMs) return false;
  if (known.earliestMs >= hold.certainMs) return true;
  // Who has the address now took it from the other.
  return known.lasts && !hold.lasts;
}

/** From when it is open which of two had an address: Infinity where one of them certainly came first. */
function openFromMs<T>(a: Hold<T>, b: Hold<T>): number {
  const isApart = a.earliestMs >= b.certainMs || b.earliestMs >= a.certainMs;
  if (isApart || a.lasts !== b.lasts || a.holder === b.holder) return Infinity;
  return Math.min(a.earliestMs, b.earliestMs);
}

function isList<T>(known: Hold<T> | readonly Place<T>[]): known is readonly Place<T>[] {
  return Array.isArray(known);
}
