/**
 * What the kernel takes of a process's CPU time for its own work, softirqs above all, in percent: that of an endless loop,
 * which asks it for nothing. `taken-share SECONDS`. The clock jumps where the loop was interrupted; what of that was
 * waiting for a CPU is told by /proc/self/schedstat. (utime and stime do not tell: they are sampled at the timer's tick,
 * and the softirqs that a tick lets run come behind the sample.)
 */
import { readFileSync } from "node:fs";

/** A turn of the loop takes a twentieth of it. */
const GAP_MS = 0.002;
const SLICE_MS = 10;

const untilMs = performance.now() + Number(process.argv[2]) * 1000;
gapsMs(performance.now() + 200); // until it is compiled
const [cpuBefore, waitedBefore] = scheduledMs();
let gaps = 0;
while (performance.now() < untilMs) gaps += gapsMs(performance.now() + SLICE_MS);
const [cpu, waited] = scheduledMs();
console.log((100 * (gaps - (waited - waitedBefore))) / (cpu - cpuBefore));

/** How long the loop stood still, until a time. */
function gapsMs(endMs: number): number {
  let sum = 0;
  for (let last = performance.now(); last < endMs; ) {
    const now = performance.now();
    if (now - last > GAP_MS) sum += now - last;
    last = now;
  }
  return sum;
}

/** On a CPU, and waiting for one (Documentation/scheduler/sched-stats.rst). */
function scheduledMs(): readonly [cpu: number, waited: number] {
  const [cpu = "", waited = ""] = readFileSync("/proc/self/schedstat", "latin1").split(" ");
  return [Number(cpu) / 1e6, Number(waited) / 1e6];
}
