import { setTimeout as wait } from "node:timers/promises";

/** Time and chance as this room uses them; tests run them faster. */
export interface Clock {
  /** Milliseconds that never go backwards, from any beginning. */
  monotonicMs(): number;
  /** Unix time in ms. */
  unixMs(): number;
  /** Waits; ends early, without an error, when the signal does. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to 1, as Math.random. */
  random(): number;
}

/** The machine's own time. */
export const SYSTEM_CLOCK: Clock = {
  monotonicMs: () => performance.now(),
  unixMs: () => Date.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    // The only rejection there is: the signal.
    await wait(ms, undefined, { signal }).catch(() => undefined);
  },
};
