import { constants, mkdirSync, openSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { errnoName } from "../syscall/system-call-error.ts";
import { instanceError } from "./errors.ts";
import type { Tracefs } from "./mount.ts";
import { INSTANCE_PREFIX } from "./names.ts";

const TRIES = 8;

/**
 * Makes `instances/tcpretrans-ID` and holds it open by its `free_buffer`; throws SetupError. Between mkdir and open
 * another start may take the directory for a leftover: then once more, with another id unless one is wanted.
 */
export function makeAndHold(tracefs: Tracefs, wantedId: string | undefined): { id: string; hold: number } {
  for (let left = TRIES; ; left--) {
    const id = wantedId ?? randomId();
    const path = instancePath(tracefs, id);
    try {
      mkdirSync(path);
      return { id, hold: holdOrRemove(path) };
    } catch (error) {
      const errno = errnoName(error);
      // ENOENT: removed before the open; ENODEV: during it (tracing_check_open_get_tr, kernel/trace/trace.c).
      const again =
        errno === "ENOENT" || errno === "ENODEV" || (errno === "EEXIST" && wantedId === undefined);
      if (again && left > 1) continue;
      throw instanceError(`make instance "${INSTANCE_PREFIX}${id}"`, error, tracefs.lockdown);
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
export function instancePath(tracefs: Tracefs, id: string): string {
  return join(tracefs.path, "instances", INSTANCE_PREFIX + id);
}

/** 8 hex digits. Only to tell our instances apart: node:crypto would cost 3 MB of memory. */
function randomId(): string {
  return Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, "0");
}
