import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { processCost } from "./process-cost.ts";
import type { Storm } from "./storm.ts";

/** A stretch of a storm. */
export interface CostWindow {
  readonly fromSeconds: number;
  readonly untilSeconds: number;
  /** CPU for each retransmit that the kernel counted meanwhile, in µs. */
  readonly usPerEvent: number;
}

/** Seconds at which one stretch ends and the next begins. */
const ENDS = [1, 2, 3, 5, 8, 12, 20, 30];
/** Names are there by then. */
const SETTLE_MS = 6000;

/** What an event costs an agent that has seen none before, from stretch to stretch of one storm. */
export async function costOverTime(
  product: string,
  args: readonly string[],
  storm: Storm,
): Promise<readonly CostWindow[]> {
  const child = spawn(product, args, { stdio: "ignore" });
  const windows: CostWindow[] = [];
  try {
    await sleep(SETTLE_MS);
    const look = () => ({ us: processCost(child.pid ?? 0).cpuSeconds * 1e6, events: storm.retransmits() });
    const startMs = performance.now();
    const blowing = storm.blow(ENDS.at(-1) ?? 0);
    let before = { ...look(), seconds: 0 };
    for (const seconds of ENDS) {
      await sleep(startMs + seconds * 1000 - performance.now());
      const now = { ...look(), seconds };
      const usPerEvent = (now.us - before.us) / (now.events - before.events);
      windows.push({ fromSeconds: before.seconds, untilSeconds: seconds, usPerEvent });
      before = now;
    }
    await blowing;
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGINT");
    await ended;
  }
  return windows;
}
