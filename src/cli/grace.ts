import type { AgentEnding } from "./agent.ts";

/** The time that the agent has for its end, from when it was told to. */
export interface Grace {
  /** What is left of it in ms; none before the end was asked for, since nobody waits then. */
  leftMs(): number;
  /** Waits for the work, until this part of the time is over or whoever ends the agent does not want to wait. */
  within(part: number, work: Promise<unknown>): Promise<void>;
}

/** Begins to run when the end is asked for. */
export function openGrace({ signal, hurry }: AgentEnding, graceMs: number): Grace {
  let askedMs: number | undefined;
  signal.addEventListener(
    "abort",
    () => {
      askedMs = performance.now();
    },
    { once: true },
  );
  const leftMs = (part = 1) => {
    if (askedMs === undefined || hurry.aborted) return 0;
    return Math.max(0, askedMs + graceMs * part - performance.now());
  };
  return {
    leftMs: () => leftMs(),
    async within(part, work) {
      const { promise: over, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, leftMs(part));
      hurry.addEventListener("abort", () => resolve(), { once: true });
      await Promise.race([work, over]).finally(() => clearTimeout(timer));
    },
  };
}
