import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { run } from "../run.ts";
import { OUTSIDE, WIRE } from "./plan.ts";
import { until } from "./until.ts";

/** Ends the processes of a cluster under `labDir` whose test was killed before it could. */
export async function endLeftProcesses(labDir: string): Promise<void> {
  const mark = join(labDir, "cluster/");
  await until("the end of a killed cluster's processes", async () => {
    const left = new Set<number>();
    for (const pid of pids()) if (read(`/proc/${pid}/cmdline`).includes(mark)) left.add(pid);
    // What holds the node's mounts has no mark of its own.
    const own = mountsOf(process.pid);
    const foreign = new Set(
      [...left].map(mountsOf).filter((mounts) => mounts !== undefined && mounts !== own),
    );
    for (const pid of pids()) if (foreign.has(mountsOf(pid))) left.add(pid);
    for (const { netns } of [WIRE, OUTSIDE]) {
      const inside = await run("ip", ["netns", "pids", netns]).catch(() => "");
      for (const pid of inside.split("\n").filter(Boolean)) left.add(Number(pid));
    }
    left.delete(process.pid);
    for (const pid of left) killNow(pid);
    return left.size === 0;
  });
}

/** Processes of a mount namespace, which `mountsOf` names. */
export function members(mounts: string | undefined): readonly number[] {
  return mounts === undefined ? [] : pids().filter((pid) => mountsOf(pid) === mounts);
}

/** The mount namespace of a process; undefined when it has ended. */
export function mountsOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`);
  } catch {
    return undefined;
  }
}

export function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // ended meanwhile
  }
}

function pids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
