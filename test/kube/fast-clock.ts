import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../../src/kube/clock.ts";

export interface FastClock extends Clock {
  /** Every wait that was asked for, in ms of this clock. */
  readonly waits: number[];
}

/** A clock that runs `factor` times as fast as the machine's. */
export function fastClock(factor: number, random: () => number = Math.random): FastClock {
  const waits: number[] = [];
  return {
    waits,
    monotonicMs: () => performance.now() * factor,
    unixMs: () => performance.now() * factor,
    random,
    sleep: async (ms, signal) => {
      waits.push(ms);
      await wait(ms / factor, undefined, { signal }).catch(() => undefined);
    },
  };
}
