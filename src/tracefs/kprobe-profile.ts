import { existsSync } from "node:fs";
import { join } from "node:path";
import { readControl } from "./control-file.ts";
import type { Tracefs } from "./mount.ts";

/** How often a kprobe fired, and how often it could not because another kprobe's handler was running. */
export interface KprobeHits {
  readonly hits: number;
  readonly misses: number;
}

/** Hits and misses by event name: the file has no group column, so our event names must be unique. Empty without kprobes. */
export function readKprobeProfile(tracefs: Tracefs): ReadonlyMap<string, KprobeHits> {
  const path = join(tracefs.path, "kprobe_profile");
  return existsSync(path) ? parseKprobeProfile(readControl(path)) : new Map();
}

/** Parses `  NAME  HITS  MISSES` lines (probes_profile_seq_show, kernel/trace/trace_kprobe.c). */
export function parseKprobeProfile(text: string): ReadonlyMap<string, KprobeHits> {
  const profile = new Map<string, KprobeHits>();
  for (const line of text.split("\n")) {
    const [name, hits, misses] = line.trim().split(/\s+/);
    if (name && hits !== undefined && misses !== undefined) {
      profile.set(name, { hits: Number(hits), misses: Number(misses) });
    }
  }
  return profile;
}
