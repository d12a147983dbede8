/**
 * Where a reflector puts what it has of one resource: items in the order of the API server's answers, with the time of
 * receipt in Unix milliseconds. Nothing here throws for what an item says.
 */
export interface ResourceSink<T> {
  /** A list begins: every item of it comes as an upsert before `replaceEnd`. A second begin starts anew. */
  replaceBegin(): void;
  /** An item as it is now: of a list, or ADDED and MODIFIED of a watch. */
  upsert(item: T, receivedMs: number): void;
  /** DELETED of a watch, with the item's last state. */
  remove(item: T, receivedMs: number): void;
  /** The list is complete: what was not in it (by uid) is gone. Never called for a list that broke off. */
  replaceEnd(receivedMs: number): void;
}

/** Cuts one object of the API, as parsed from JSON, to what identity needs; undefined where it is no such object. Never throws. */
export type Project<T> = (object: unknown) => T | undefined;
