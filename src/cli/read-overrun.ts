import type { Instance } from "../tracefs/instance.ts";

/** Records that the kernel overwrote or refused since the instance was made, over all CPUs. */
export function readOverrun(instance: Instance): number {
  return instance.onlineCpus().reduce((sum, cpu) => {
    const { overrun, commitOverrun, dropped } = instance.readStats(cpu);
    return sum + overrun + commitOverrun + dropped;
  }, 0);
}
