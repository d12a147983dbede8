import { readFileSync } from "node:fs";

/** Resident memory of this process that is no file's, in bytes; undefined where the kernel does not tell it (before 4.5). */
export function readOwnMemory(): number | undefined {
  return parseOwnMemory(readFileSync("/proc/self/status", "latin1"));
}

/** Of the text of /proc/PID/status (proc_pid_status(5)). */
export function parseOwnMemory(status: string): number | undefined {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}
