import type { ClusterLookup, NameSources, NamespaceOwner, Translation } from "./lookups.ts";

/** When an event was, and what is known. */
export interface Moment {
  /** Kernel time of the event in Unix milliseconds. */
  readonly unixMs: number;
  /** Kernel time of the first event of its connection, or of its last SYN; `unixMs` where that is this one. */
  readonly sinceMs: number;
  /** No process held its socket any more at that first event. */
  readonly wasClosing: boolean;
  /** When the peer is known to have answered: the first such time of its connection, and the last. */
  readonly heard: Heard | undefined;
  /** What this host's connection tracking made of the connection at an event before. */
  readonly translation: Translation | undefined;
  /** The pod that the socket's namespace was known to be of when the event came; undefined where none was. */
  readonly space: NamespaceOwner | undefined;
  readonly sources: NameSources;
  readonly lists: Lists;
}

/** How far what the cluster knows has come, as ClusterLookup says: it does not change while a tick is worked on. */
export type Lists = Pick<ClusterLookup, "complete" | "pending">;

/** Times in Unix milliseconds. */
export interface Heard {
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Whose a namespace is: what the event came with, or what its number tells now. */
export function namespaceOf(netns: number, { space, sources }: Moment): NamespaceOwner | undefined {
  return space ?? sources.host.namespace(netns);
}

/** When whoever is dialled was there: it answered then, or was dialled not long before the connection was seen first. */
export function dialledMs({ heard, sinceMs }: Moment): number {
  return heard?.firstMs ?? sinceMs;
}

/** What waits for the first lists, or for a watch that is behind. */
export const AWAITS_CLUSTER = "cluster";

/** What waits until every pod has told its addresses, so that one outside is surely outside. */
export const AWAITS_COMPLETE = "complete";

/** What waits for a look for a namespace: each event for one of its own, which comes soon. */
export function awaitsSight(netns: number, { unixMs }: Moment): string {
  return `sight of netns ${netns} at ${unixMs}`;
}

/** What waits for whoever has an address that a pod has left, or that two may have: it may not have told yet. */
export function awaitsSuccessor(address: string, { lists }: Moment): string {
  return lists.pending ? AWAITS_CLUSTER : `successor ${address}`;
}
