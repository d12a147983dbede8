import { closeSync, constants, openSync, readFileSync, writeSync } from "node:fs";

/**
 * One write(2) to a control file, never truncating: O_TRUNC on `dynamic_events`, `kprobe_events`, `set_event`
 * and `trace` deletes what is there, other tools' probes too (probes_open, kernel/trace/trace_kprobe.c).
 */
export function writeControl(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
}

/** The text of a control file. */
export function readControl(path: string): string {
  return readFileSync(path, "latin1");
}
