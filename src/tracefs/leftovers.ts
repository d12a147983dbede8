import { SetupError } from "../syscall/setup-error.ts";
import { listDynamicEvents, removeProbe } from "./dynamic-events.ts";
import { listOurInstances, removeIfUnheld } from "./instance-directory.ts";
import type { Tracefs } from "./mount.ts";
import { groupIdOf, parseInstanceName } from "./names.ts";

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
  const ours = listDynamicEvents(tracefs).filter(({ group }) => groupIdOf(group) !== undefined);
  const living = new Set(listOurInstances(tracefs).map((name) => parseInstanceName(name)?.id));
  const probes: string[] = [];
  const kept: string[] = [];
  for (const { group, event } of ours) {
    if (living.has(groupIdOf(group))) continue;
    try {
      if (removeProbe(tracefs, group, event)) probes.push(`${group}/${event}`);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      kept.push(`${group}/${event}`);
    }
  }
  return { instances, probes, kept };
}
