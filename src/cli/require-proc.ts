import { readdirSync } from "node:fs";
import { UsageError } from "./usage-error.ts";

/** Throws a UsageError where the setting for the host's /proc names something else, such as a pod's volume that is not there. */
export function requireProc(procPath: string): void {
  let names: readonly string[];
  try {
    names = readdirSync(procPath);
  } catch (error) {
    throw new UsageError([cannot(procPath, (error as NodeJS.ErrnoException).code ?? "it cannot be read")]);
  }
  if (!names.some((name) => /^\d+$/.test(name))) {
    throw new UsageError([cannot(procPath, "no process is there")]);
  }
}

function cannot(procPath: string, state: string): string {
  return `Cannot use host.procPath ${procPath} (${state}): give where the host's /proc is mounted, or leave it out`;
}
