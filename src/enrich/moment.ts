import type { NameSources } from "./lookups.ts";

/** When an event was, and what is known. */
export interface Moment {
  /** Kernel time of the event in Unix milliseconds. */
  readonly unixMs: number;
  readonly sources: NameSources;
}

/** What waits for the first lists, or for a watch that is behind. */
export const AWAITS_CLUSTER = "cluster";
