import { constants, mkdirSync, openSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { errnoName } from "../syscall/system-call-error.ts";
import { instanceError } from "./errors.ts";
import type { Tracefs } from "./mount.ts";
import { type AgentMark, formatInstanceName, type InstanceName, parseInstanceName } from "./names.ts";

const TRIES = 8;

/** What an instance is to be called. */
export interface WantedName {
  /** A random one unless given. */
  readonly id: string | undefined;
  readonly agent: AgentMark | undefined;
}

/**
 * Makes an instance's directory and holds it open by its `free_buffer`; throws SetupError. Between mkdir and open
 * another start may take the directory for a leftover: then once more, with another id unless one is wanted.
 */
export function makeAndHold(tracefs: Tracefs, wanted: WantedName): { name: InstanceName; hold: number } {
  for (let left = TRIES; ; left--) {
    const name = { id: wanted.id ?? randomId(), agent: wanted.agent };
    const path = instancePath(tracefs, name);
    try {
      mkdirSync(path);
      return { name, hold: holdOrRemove(path) };
    } catch (error) {
      const errno = errnoName(error);
      // ENOENT: removed before the open; ENODEV: during it (tracing_check_open_get_tr, kernel/trace/trace.c).
      const again =
        errno === "ENOENT" || errno === "ENODEV" || (errno === "EEXIST" && wanted.id === undefined);
      if (again && left > 1) continue;
      throw instanceError(`make instance "${formatInstanceName(name)}"`, error, tracefs.lockdown);
    }
  }
}

/** Lockdown refuses the open, but not the mkdir. */
function holdOrRemove(path: string): number {
  try {
    return openSync(join(path, "free_buffer"), constants.O_WRONLY);
  } catch (error) {
    removeIfThere(path);
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
  }
}

/** Where an instance of ours is. */
export function instancePath(tracefs: Tracefs, name: InstanceName): string {
  return join(tracefs.path, "instances", formatInstanceName(name));
}

/** Names of the directories of ours, whether their process lives or not. */
export function listOurInstances(tracefs: Tracefs): string[] {
  const names = readdirSync(join(tracefs.path, "instances"));
  return names.filter((name) => parseInstanceName(name) !== undefined);
}

/** Removes an instance of ours that no process holds; false if a living one does, or another start was quicker. */
export function removeIfUnheld(tracefs: Tracefs, name: string): boolean {
  try {
    rmdirSync(join(tracefs.path, "instances", name));
    return true;
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
    return false;
  }
}

/** 8 hex digits. Only to tell our instances apart: node:crypto would cost 3 MB of memory. */
function randomId(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
}
