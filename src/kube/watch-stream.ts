import type { ApiProblem } from "./api-problem.ts";
import { statusProblem } from "./errors.ts";
import { LineSplitter } from "./json-lines.ts";
import { asObject, countOf, type JsonObject, objectOf, textOf } from "./json-value.ts";
import { type Feed, MAX_OBJECT_BYTES, parseCounted } from "./resource-feed.ts";

/** On top of `timeoutSeconds`, after which the server ends a watch by itself. */
const MARGIN_MS = 30_000;
/** Once a watch has brought a bookmark they come every minute (since 1.27, staging/src/k8s.io/apiserver storage/cacher). */
const BOOKMARK_SILENCE_MS = 180_000;
/** The first state of a streaming list stands still for no longer than this. */
const INITIAL_SILENCE_MS = 60_000;
export const WATCH_VERBS: readonly string[] = ["list", "watch"];

export interface WatchOptions {
  /** What a list or a watch before gave last; undefined: a streaming list, which brings the state first. */
  readonly from: string | undefined;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  /** What is known is complete, and followed from now on. */
  readonly synced: () => void;
}

/** How a watch ended. */
export interface WatchEnd {
  /** Where to go on; undefined while the state of a streaming list is not complete. */
  readonly resourceVersion: string | undefined;
  /** Undefined: the server ended it, as it does after `timeoutSeconds`. */
  readonly problem: ApiProblem | undefined;
  /** The problem came as an event of an answer that had begun as a success. */
  readonly byEvent: boolean;
}

/** Follows a resource into the sink until the watch ends. Versions are never compared, only handed back. */
export async function readWatch<T>(feed: Feed<T>, options: WatchOptions): Promise<WatchEnd> {
  const { client, clock, counters } = feed;
  const { from, timeoutSeconds, signal, synced } = options;
  const events = new WatchEvents(feed, options);
  const splitter = new LineSplitter({ maxBytes: MAX_OBJECT_BYTES, line: (text) => events.take(text) });
  counters.watches++;
  if (from === undefined) counters.lists++;
  const problem = await client.read(
    { path: feed.path, verbs: WATCH_VERBS },
    {
      query: {
        ...{ watch: "1", allowWatchBookmarks: "true", timeoutSeconds: `${timeoutSeconds}` },
        fieldSelector: feed.fieldSelector,
        ...(from === undefined
          ? { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" }
          : { resourceVersion: from }),
      },
      signal,
      silenceMs: () => {
        if (events.resourceVersion === undefined) return INITIAL_SILENCE_MS;
        return events.hasBookmarks ? BOOKMARK_SILENCE_MS : timeoutSeconds * 1000 + MARGIN_MS;
      },
      opened: () => {
        counters.lastContactMs = clock.unixMs();
        if (from === undefined) feed.sink.replaceBegin();
        else synced();
      },
      chunk: (bytes) => {
        counters.lastContactMs = clock.unixMs();
        return splitter.push(bytes);
      },
      received: (bytes) => (counters.bytes += bytes),
    },
  );
  const { resourceVersion, failure } = events;
  return { resourceVersion, problem: failure ?? problem, byEvent: failure !== undefined };
}

/** The events of one watch, in order. */
class WatchEvents<T> {
  readonly #feed: Feed<T>;
  readonly #synced: () => void;
  resourceVersion: string | undefined;
  failure: ApiProblem | undefined;
  /** Bookmarks come on this watch, beside the one that ends the state. */
  hasBookmarks = false;

  constructor(feed: Feed<T>, { from, synced }: WatchOptions) {
    this.#feed = feed;
    this.#synced = synced;
    this.resourceVersion = from;
  }

  /** False: the watch is over. */
  take(text: string | undefined): boolean {
    const { counters, client, path } = this.#feed;
    const parsed = parseCounted(text, counters);
    if (parsed === undefined) return true;
    const event = asObject(parsed.value) ?? {};
    const object = objectOf(event, "object");
    const type = textOf(event, "type");
    if (type === "ERROR") {
      const answer = { status: countOf(object, "code") ?? 500, body: object };
      this.failure = statusProblem(answer, client.server, { path, verbs: WATCH_VERBS });
      return false;
    }
    const metadata = objectOf(object, "metadata");
    const version = textOf(metadata, "resourceVersion");
    if (type === "BOOKMARK") this.#takeBookmark(metadata, version);
    else if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") this.#takeObject(type, object);
    else counters.faults["wrong-type"]++;
    // Within a streaming list's state a version is that of its object, and no place to go on from.
    if (this.resourceVersion !== undefined && version !== undefined) this.resourceVersion = version;
    return true;
  }

  #takeBookmark(metadata: JsonObject, version: string | undefined): void {
    const { counters, sink, clock } = this.#feed;
    counters.bookmarks++;
    const ends = textOf(objectOf(metadata, "annotations"), "k8s.io/initial-events-end") === "true";
    if (this.resourceVersion !== undefined) this.hasBookmarks = true;
    if (!ends || version === undefined || this.resourceVersion !== undefined) return;
    this.resourceVersion = version;
    sink.replaceEnd(clock.unixMs());
    this.#synced();
  }

  #takeObject(type: "ADDED" | "MODIFIED" | "DELETED", object: JsonObject): void {
    const { counters, clock, project, sink } = this.#feed;
    if (this.resourceVersion === undefined) counters.items++;
    else counters.events++;
    const item = project(object);
    if (item === undefined) counters.faults["wrong-type"]++;
    else if (type === "DELETED") sink.remove(item, clock.unixMs());
    else sink.upsert(item, clock.unixMs());
  }
}
