import type { DecodeCounts } from "../probe/page-decoder.ts";
import type { Losses } from "../reconcile/losses.ts";
import { readKprobeProfile } from "../tracefs/kprobe-profile.ts";
import { readOverrun } from "./read-overrun.ts";
import type { Session } from "./session.ts";

/** What the capture has lost so far, over the whole host. */
export function readLosses({ tracefs, capture, gaps }: Session, counts: DecodeCounts): Losses {
  const { instance } = capture;
  const faults = [...counts.faults.values()].reduce((sum, count) => sum + count, 0);
  let probeMisses = 0;
  for (const [event, { misses }] of readKprobeProfile(tracefs)) {
    if (event.endsWith(`_${instance.id}`)) probeMisses += misses;
  }
  return { overrun: readOverrun(instance), probeMisses, faults, gaps: gaps.count };
}
