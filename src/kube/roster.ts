/** An object of the API that is remembered by its uid. */
export interface RosterEntry {
  readonly uid: string;
  /** The list in which it was seen last. */
  seenIn: number;
  /** It is gone from the API. */
  readonly removed: boolean;
}

/** The objects of one resource by uid, and which of them a list that comes in has not named. */
export class Roster<T extends RosterEntry> {
  readonly #byUid = new Map<string, T>();
  #list = 0;

  get size(): number {
    return this.#byUid.size;
  }

  get(uid: string): T | undefined {
    return this.#byUid.get(uid);
  }

  set(entry: T): void {
    this.#byUid.set(entry.uid, entry);
  }

  /** Forgets an entry, unless another has its uid by now. */
  delete(entry: T): void {
    if (this.#byUid.get(entry.uid) === entry) this.#byUid.delete(entry.uid);
  }

  values(): IterableIterator<T> {
    return this.#byUid.values();
  }

  /** The number of the list that came in last, or comes in. */
  get list(): number {
    return this.#list;
  }

  /** A list begins; what is seen from now on is in it. */
  beginList(): void {
    this.#list++;
  }

  seen(entry: T): void {
    entry.seenIn = this.#list;
  }

  /** What is there, but not in the list that ends now. */
  missing(): T[] {
    const missing: T[] = [];
    for (const entry of this.#byUid.values()) {
      if (!entry.removed && entry.seenIn !== this.#list) missing.push(entry);
    }
    return missing;
  }
}
