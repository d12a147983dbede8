import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";

/** One CPU's pages in the order of their times, and how far they have been taken. */
export interface CpuPages {
  /** Hands over the next page and gives the time of its last record; undefined where there is none left. */
  readonly next: () => TraceNanos | undefined;
  /** What this CPU still holds is later. */
  takenUntil: TraceNanos;
}

export interface TakePages {
  /** A CPU that has come as far needs no further look. */
  readonly until: TraceNanos;
  /** So many pages at most. */
  readonly budget: number;
}

/**
 * Hands over pages, each of the CPU that is furthest behind, and gives the CPUs that may still have some from before the
 * time. Records of one that is ahead could not be used before the others have come as far: they wait in the kernel's
 * buffer, not here.
 */
export function takeLaggingFirst(
  cpus: readonly CpuPages[],
  { until, budget }: TakePages,
): readonly CpuPages[] {
  const behind = cpus.filter(({ takenUntil }) => takenUntil < until);
  for (let left = budget; left > 0 && behind.length > 0; left--) {
    const at = furthestBehind(behind);
    const cpu = behind[at] as CpuPages;
    const end = cpu.next();
    cpu.takenUntil = traceNanos(Math.max(cpu.takenUntil, end ?? until));
    if (cpu.takenUntil >= until) behind.splice(at, 1);
  }
  return behind;
}

function furthestBehind(cpus: readonly CpuPages[]): number {
  let least = 0;
  for (let i = 1; i < cpus.length; i++) {
    if ((cpus[i] as CpuPages).takenUntil < (cpus[least] as CpuPages).takenUntil) least = i;
  }
  return least;
}
