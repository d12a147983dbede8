import type { DecodeCounts } from "../probe/page-decoder.ts";
import type { Losses } from "../reconcile/losses.ts";
import { readKprobeProfile } from "../tracefs/kprobe-profile.ts";
import type { Tracefs } from "../tracefs/mount.ts";
import { readOverrun } from "./read-overrun.ts";
import type { Session } from "./session.ts";

/** Makes a function that reads what the capture has lost so far, over the whole host: numbers that never go back. */
export function lossReader({ tracefs, capture, gaps }: Session, counts: DecodeCounts): () => Losses {
  const { instance } = capture;
  const probeMisses = missReader(tracefs, instance.id);
  return () => {
    const faults = [...counts.faults.values()].reduce((sum, count) => sum + count, 0);
    return { overrun: readOverrun(instance), probeMisses: probeMisses(), faults, gaps: gaps.count };
  };
}

/** Makes a function that sums up the misses of an instance's kprobes: one that had been removed begins at 0 again. */
export function missReader(tracefs: Tracefs, id: string): () => number {
  const known = new Map<string, number>();
  let total = 0;
  return () => {
    for (const [event, { misses }] of readKprobeProfile(tracefs)) {
      if (!event.endsWith(`_${id}`)) continue;
      const before = known.get(event) ?? 0;
      total += misses < before ? misses : misses - before;
      known.set(event, misses);
    }
    return total;
  };
}
