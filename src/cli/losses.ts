import type { DecodeCounts } from "../probe/page-decoder.ts";
import type { Instance } from "../tracefs/instance.ts";
import { readKprobeProfile } from "../tracefs/kprobe-profile.ts";
import type { Tracefs } from "../tracefs/mount.ts";
import { readOverrun } from "./read-overrun.ts";

export interface LossSources {
  readonly tracefs: Tracefs;
  readonly instance: Instance;
  readonly counts: DecodeCounts;
}

/** What the capture has lost so far, over the whole host. */
export function readLosses({ tracefs, instance, counts }: LossSources) {
  const faults = [...counts.faults.values()].reduce((sum, count) => sum + count, 0);
  let probeMisses = 0;
  for (const [event, { misses }] of readKprobeProfile(tracefs)) {
    if (event.endsWith(`_${instance.id}`)) probeMisses += misses;
  }
  return { overrun: readOverrun(instance), probeMisses, faults };
}
