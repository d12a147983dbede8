import { readFileSync } from "node:fs";
import type { Libc } from "./libc.ts";
import { errnoName } from "./system-call-error.ts";

/** A stretch of this process's memory. */
export interface Mapping {
  readonly address: bigint;
  readonly length: bigint;
}

/**
 * Unmaps the pages of Node's program and its libraries. They stay in the kernel's memory of those files; what is still
 * used comes back, 16 pages with one fault, and what only the start has needed does not.
 */
export function unmapProgram(libc: Libc): void {
  let smaps: string;
  try {
    smaps = readFileSync("/proc/self/smaps", "latin1");
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
    return; // a kernel without CONFIG_PROC_PAGE_MONITOR
  }
  for (const { address, length } of parseProgramMappings(smaps)) {
    try {
      libc.unmapPages(address, length);
    } catch (error) {
      if (errnoName(error) === undefined) throw error; // EINVAL: someone has locked it in memory
    }
  }
}

/**
 * The private mappings of files that may not be written to, and of which no page is a copy of this process's own, in memory
 * or in swap (relocations are such): of the text of /proc/PID/smaps (proc_pid_smaps(5)).
 */
export function parseProgramMappings(smaps: string): readonly Mapping[] {
  const found: Mapping[] = [];
  for (const text of smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const [, from, until] = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \d+ +\//.exec(text) ?? [];
    if (from === undefined || until === undefined) continue;
    if (!/^Anonymous: +0 kB$/m.test(text) || !/^Swap: +0 kB$/m.test(text)) continue;
    const address = BigInt(`0x${from}`);
    found.push({ address, length: BigInt(`0x${until}`) - address });
  }
  return found;
}
