import type { Instance } from "../tracefs/instance.ts";

/**
 * Records that the kernel overwrote or refused since the instance was made, over all CPUs that were read: one that
 * went offline keeps its counts.
 */
export function readOverrun(instance: Instance): number {
  return instance.openedCpus.reduce((sum, cpu) => {
    const { overrun, commitOverrun, dropped } = instance.readStats(cpu);
    return sum + overrun + commitOverrun + dropped;
  }, 0);
}
