import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { processCost } from "./process-cost.ts";

export interface Idle {
  /** Share of one core, in percent. */
  readonly percent: number;
  readonly residentMib: number;
  /** Lines printed meanwhile: retransmits of other programs on this machine. */
  readonly lines: number;
}

/** What the product uses while nothing happens, `seconds` long, after it has settled. */
export async function idleCost(
  product: string,
  { seconds, ffi }: { seconds: number; ffi: boolean },
): Promise<Idle> {
  const env = ffi ? process.env : { ...process.env, TCPRETRANS_NO_FFI: "1" };
  const child = spawn(product, [], { stdio: ["ignore", "pipe", "ignore"], env });
  let lines = -1; // the header
  child.stdout.setEncoding("latin1").on("data", (text: string) => {
    lines += text.split("\n").length - 1;
  });
  await setTimeout(3000);
  const before = processCost(child.pid ?? 0);
  await setTimeout(seconds * 1000);
  const after = processCost(child.pid ?? 0);
  const percent = (100 * (after.cpuSeconds - before.cpuSeconds)) / seconds;
  const idle = { percent, residentMib: after.residentMib, lines };
  await stop(child);
  return idle;
}

/** Milliseconds from the start of the process to the moment when its instance lets the tracepoint's events in. */
export async function firstEventMs(
  product: string,
  tracefs: string,
  args: readonly string[] = [],
): Promise<number> {
  const instances = join(tracefs, "instances");
  const others = new Set(readdirSync(instances));
  const start = performance.now();
  const child = spawn(product, args, { stdio: "ignore" });
  try {
    while (performance.now() - start < 20_000) {
      const own = readdirSync(instances).filter(
        (name) => name.startsWith("tcpretrans-") && !others.has(name),
      );
      if (own.some((name) => isArmed(join(instances, name)))) return performance.now() - start;
      await setTimeout(2);
    }
    throw new Error("Cannot measure the first event: no probe is in place after 20 s");
  } finally {
    await stop(child);
  }
}

/** A recording of `seconds` of what `during` does, with the CPU that recording it took. */
export async function recordStorm(
  product: string,
  file: string,
  during: () => Promise<{ retransmits: number }>,
) {
  const child = spawn(product, ["record", file], { stdio: ["ignore", "ignore", "ignore"] });
  while (!existsSync(file) || statSync(file).size === 0) await setTimeout(50);
  await setTimeout(500);
  const before = processCost(child.pid ?? 0);
  const { retransmits } = await during();
  await setTimeout(1000);
  const after = processCost(child.pid ?? 0);
  await stop(child);
  return { retransmits, cpuSeconds: after.cpuSeconds - before.cpuSeconds, peakMib: after.peakMib };
}

/** Lines a second of a replay on one core, start and end included. */
export function replaySpeed(product: string, file: string) {
  const lines = Number(
    execFileSync("sh", [
      "-c",
      `${product} replay --json ${file} 2>/dev/null | grep -c tcp.retransmit.outcome`,
    ]),
  );
  const pinned = existsSync("/usr/bin/taskset") ? "taskset -c 0 " : "";
  const seconds = [1, 2, 3].map(() => {
    const start = performance.now();
    execFileSync("sh", ["-c", `${pinned}${product} replay ${file} >/dev/null 2>&1`]);
    return (performance.now() - start) / 1000;
  });
  return { lines, seconds: Math.min(...seconds), perSecond: lines / Math.min(...seconds) };
}

function isArmed(instance: string): boolean {
  try {
    return /tcp_retransmit_skb|outcome/.test(readFileSync(join(instance, "set_event"), "utf8"));
  } catch {
    return false; // it is being made, or is gone
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
}
