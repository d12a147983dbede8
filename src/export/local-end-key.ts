import type { Ends } from "../event/end-name.ts";

/** What stands for a local end: its pod, which is the same object for life, or its name. */
export function localEndKey(ends: Ends | undefined): object | string {
  return ends === undefined ? "" : (ends.local.pod ?? ends.local.name);
}
