import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "../syscall/setup-error.ts";
import { errnoName } from "../syscall/system-call-error.ts";
import { listDynamicEvents, removeProbe } from "./dynamic-events.ts";
import type { Tracefs } from "./mount.ts";
import { GROUP_PREFIX, INSTANCE_PREFIX, idOf } from "./names.ts";

/** What a start found of earlier ones that were killed. */
export interface Leftovers {
  /** Instances removed. */
  readonly instances: readonly string[];
  /** Probes removed, as `group/event`. */
  readonly probes: readonly string[];
  /** Probes of ours that another program has enabled, and so stay. */
  readonly kept: readonly string[];
}

/**
 * Removes instances and probes of ours whose process is gone, and nothing else. The kernel decides who lives:
 * rmdir gives EBUSY while a process holds a file of the instance open, and takes its events along otherwise.
 * Safe beside another start, which makes its instance before its probes: probes are listed first, instances after.
 */
export function removeLeftovers(tracefs: Tracefs): Leftovers {
  const instances = listOurInstances(tracefs).filter((name) => removeIfUnheld(tracefs, name));
  const ours = listDynamicEvents(tracefs).filter(({ group }) => idOf(group, GROUP_PREFIX) !== undefined);
  const living = new Set(listOurInstances(tracefs).map((name) => idOf(name, INSTANCE_PREFIX)));
  const probes: string[] = [];
  const kept: string[] = [];
  for (const { group, event } of ours) {
    if (living.has(idOf(group, GROUP_PREFIX))) continue;
    try {
      if (removeProbe(tracefs, group, event)) probes.push(`${group}/${event}`);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      kept.push(`${group}/${event}`);
    }
  }
  return { instances, probes, kept };
}

function listOurInstances(tracefs: Tracefs): string[] {
  const names = readdirSync(join(tracefs.path, "instances"));
  return names.filter((name) => idOf(name, INSTANCE_PREFIX) !== undefined);
}

/** False if a living process holds it, or another start was quicker. */
function removeIfUnheld(tracefs: Tracefs, name: string): boolean {
  try {
    rmdirSync(join(tracefs.path, "instances", name));
    return true;
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
    return false;
  }
}
