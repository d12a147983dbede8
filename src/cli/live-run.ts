import type { LiveSource } from "../agent/live-source.ts";
import type { Instance } from "../tracefs/instance.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends the source on a signal or after a time; a second signal ends the process at once. */
export function stopOnSignals(source: LiveSource, durationSeconds: number | undefined): Disposable {
  const stop = () => source.stop();
  for (const signal of SIGNALS) process.once(signal, stop);
  const timer = durationSeconds === undefined ? undefined : setTimeout(stop, durationSeconds * 1000);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      for (const signal of SIGNALS) process.off(signal, stop);
    },
  };
}

/** Records that the kernel overwrote or refused since the instance was made, over all CPUs. */
export function readOverrun(instance: Instance): number {
  return instance.onlineCpus().reduce((sum, cpu) => {
    const { overrun, commitOverrun, dropped } = instance.readStats(cpu);
    return sum + overrun + commitOverrun + dropped;
  }, 0);
}
