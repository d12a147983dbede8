import type { ApiClient } from "./api-client.ts";
import type { ProblemKind } from "./api-problem.ts";
import type { Clock } from "./clock.ts";
import { withoutObjects } from "./json-cut.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { Project, ResourceSink } from "./resource-sink.ts";

/** etcd takes objects up to 1.5 MiB, as protobuf; JSON of this size is still parsed within 50 ms. */
export const MAX_OBJECT_BYTES = 4 * 1024 * 1024;

/** Why bytes of the API server gave no item; each is counted, and reading goes on. */
export type FeedFault =
  /** No JSON. */
  | "garbage"
  /** JSON, but no event of a watch, or no object of the resource. */
  | "wrong-type"
  /** Above `MAX_OBJECT_BYTES`. */
  | "too-large";

/** Where a resource's knowledge stands. */
export type FeedState =
  /** The first list is not in yet. */
  | "syncing"
  /** Complete, and followed. */
  | "synced"
  /** Complete once; what changed since is not known at this moment. */
  | "behind"
  /** A permission is missing; what was known before stays. */
  | "denied";

/** What one resource has cost and brought so far. */
export interface FeedCounters {
  /** Lists begun, streaming ones too. */
  lists: number;
  /** Watches begun, streaming lists too. */
  watches: number;
  /** Lists after the first that were needed since the past was gone (410). */
  relists: number;
  /** Items of lists. */
  items: number;
  /** ADDED, MODIFIED and DELETED of watches. */
  events: number;
  bookmarks: number;
  /** As they came over the wire, bodies only. */
  bytes: number;
  readonly problems: Partial<Record<ProblemKind, number>>;
  readonly faults: Record<FeedFault, number>;
  /** Unix time in ms of the last byte; undefined before. */
  lastContactMs: number | undefined;
}

export interface FeedOptions<T> {
  readonly client: ApiClient;
  readonly problems: ProblemLog;
  readonly clock: Clock;
  /** Such as `/api/v1/pods`. */
  readonly path: string;
  readonly fieldSelector?: string | undefined;
  readonly project: Project<T>;
  readonly sink: ResourceSink<T>;
}

/** Counters at zero. */
export function newFeedCounters(): FeedCounters {
  return {
    ...{ lists: 0, watches: 0, relists: 0, items: 0, events: 0, bookmarks: 0, bytes: 0 },
    problems: {},
    faults: { garbage: 0, "wrong-type": 0, "too-large": 0 },
    lastContactMs: undefined,
  };
}

/** What reads an answer into the sink needs to know. */
export interface Feed<T> extends FeedOptions<T> {
  readonly counters: FeedCounters;
}

/** Parses JSON text that may be anything; a fault is counted and gives undefined, as nothing that is JSON does. */
export function parseCounted(
  text: string | undefined,
  { faults }: FeedCounters,
): { value: unknown } | undefined {
  if (text === undefined) {
    faults["too-large"]++;
    return undefined;
  }
  try {
    // Who has written which member: nearly half of a pod, and nothing of it is looked at.
    return { value: JSON.parse(withoutObjects(text, "fieldsV1")) };
  } catch {
    faults.garbage++;
    return undefined;
  }
}
