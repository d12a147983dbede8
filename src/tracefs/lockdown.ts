import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The kernel's lockdown level (security/lockdown/lockdown.c, since 5.4). */
export type Lockdown = "none" | "integrity" | "confidentiality";

const LEVELS: readonly Lockdown[] = ["none", "integrity", "confidentiality"];

/** The level now in force; undefined where the kernel has none or the file is hidden, as in ordinary pods. */
export function readLockdown(sysRoot: string): Lockdown | undefined {
  try {
    return parseLockdown(readFileSync(join(sysRoot, "kernel/security/lockdown"), "latin1"));
  } catch {
    return undefined;
  }
}

/** Parses `none [integrity] confidentiality`. */
export function parseLockdown(text: string): Lockdown | undefined {
  return LEVELS.find((level) => text.includes(`[${level}]`));
}
