import { readFileSync } from "node:fs";
import { join } from "node:path";

/** CPUs now online, ascending; it changes with hotplug, so read it again now and then. */
export function readOnlineCpus(sysRoot: string): number[] {
  return parseCpuList(readFileSync(join(sysRoot, "devices/system/cpu/online"), "latin1"));
}

/** Parses the kernel's list format, `0-3,8,10-11` (bitmap_parselist, lib/bitmap.c); throws SyntaxError. */
export function parseCpuList(text: string): number[] {
  const cpus: number[] = [];
  for (const part of text.trim().split(",")) {
    if (part === "") continue;
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (match === null) throw new SyntaxError(`Cannot parse CPU list: "${part}" is no range`);
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}
