import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type MemoryKind, memoryOf, processCost } from "./process-cost.ts";

export interface AgentCost {
  readonly residentMib: number;
  readonly peakMib: number;
  /** Share of one core, in percent, once settled. */
  readonly percent: number;
  /** At the end. */
  readonly memory: Readonly<Record<MemoryKind, number>>;
}

/** What the product takes with these arguments while nothing happens, `seconds` long after it has settled. */
export async function agentCost(
  product: string,
  args: readonly string[],
  { settleSeconds, seconds }: { readonly settleSeconds: number; readonly seconds: number },
): Promise<AgentCost> {
  const child = spawn(product, args, { stdio: "ignore" });
  await sleep(settleSeconds * 1000);
  const before = processCost(child.pid ?? 0);
  await sleep(seconds * 1000);
  const after = processCost(child.pid ?? 0);
  const memory = memoryOf(child.pid ?? 0);
  if (child.exitCode !== null) throw new Error(`Cannot measure: ${product} has ended with ${child.exitCode}`);
  await stop(child);
  const percent = (100 * (after.cpuSeconds - before.cpuSeconds)) / seconds;
  return { residentMib: after.residentMib, peakMib: after.peakMib, percent, memory };
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
}
