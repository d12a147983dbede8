import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What a process and its descendants have used so far. */
export interface ProcessCost {
  /** User and system time in seconds, in steps of 10 ms. */
  readonly cpuSeconds: number;
  /** Of it in its own code: the rest is the kernel's, softirqs that interrupted it too. */
  readonly userSeconds: number;
  /** Sum of the peaks of resident memory. */
  readonly peakMib: number;
  readonly residentMib: number;
}

/** USER_HZ, the unit of times in /proc, is 100 on every architecture. */
const USER_HZ = 100;

/** Adds up a process tree: a pipeline's parts are children of its shell. */
export function processCost(root: number): ProcessCost {
  let [ticks, userTicks, peakKib, residentKib] = [0, 0, 0, 0];
  for (const pid of [root, ...descendants(root)]) {
    const stat = statFields(pid);
    // utime, stime, and those of children that were waited for: proc_pid_stat(5) fields 14 to 17.
    for (const at of [11, 12, 13, 14]) ticks += Number(stat[at] ?? 0);
    for (const at of [11, 13]) userTicks += Number(stat[at] ?? 0);
    const status = readProc(`${pid}/status`);
    peakKib += Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    residentKib += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  const [cpuSeconds, userSeconds] = [ticks / USER_HZ, userTicks / USER_HZ];
  return { cpuSeconds, userSeconds, peakMib: peakKib / 1024, residentMib: residentKib / 1024 };
}

/** Resident memory of one process in MiB: its own, and pages of files, which all who run the same program share. */
export type MemoryKind = "resident" | "own" | "files";

export function memoryOf(pid: number): Readonly<Record<MemoryKind, number>> {
  const status = readProc(`${pid}/status`);
  const mib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return { resident: mib("VmRSS"), own: mib("RssAnon"), files: mib("RssFile") };
}

/** The processes below one, parents first. */
export function descendants(root: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(statFields(Number(name))[1] ?? 0));
  }
  const found = [root];
  for (const parent of found) {
    for (const [pid, ppid] of parents) if (ppid === parent) found.push(pid);
  }
  return found.slice(1);
}

/** Fields from the third on: the name in parentheses may hold anything. */
function statFields(pid: number): readonly string[] {
  const text = readProc(`${pid}/stat`);
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Empty where the process is gone. */
function readProc(path: string): string {
  try {
    return readFileSync(join("/proc", path), "utf8");
  } catch {
    return "";
  }
}
