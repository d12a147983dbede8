import { join } from "node:path";
import { errnoName } from "../syscall/system-call-error.ts";
import { readControl } from "./control-file.ts";
import { listOurInstances, removeIfUnheld } from "./instance-directory.ts";
import type { Tracefs } from "./mount.ts";
import { formatInstanceName, type InstanceName, parseInstanceName } from "./names.ts";

/** An agent's instance whose process lives. */
export interface LivingAgent {
  /** Its directory's name. */
  readonly name: string;
  /** It began before the one that asks. */
  readonly isOlder: boolean;
  /** Its buffers take records; those of one that ends do not any more. */
  readonly isRecording: boolean;
}

/**
 * Finds the other agents of the same node. The kernel says who lives, as it does for leftovers: rmdir gives EBUSY while a
 * process holds a file of the instance open, and takes away what a dead one left.
 */
export function findLivingAgents(tracefs: Tracefs, own: InstanceName): readonly LivingAgent[] {
  const { agent } = own;
  if (agent === undefined) return [];
  const ownName = formatInstanceName(own);
  return listOurInstances(tracefs).flatMap((name) => {
    const other = parseInstanceName(name)?.agent;
    if (other === undefined || other.node !== agent.node || name === ownName) return [];
    if (removeIfUnheld(tracefs, name)) return [];
    const isRecording = readIsRecording(tracefs, name);
    return isRecording === undefined ? [] : [{ name, isOlder: name < ownName, isRecording }];
  });
}

/** Undefined for one that has just gone. */
function readIsRecording(tracefs: Tracefs, name: string): boolean | undefined {
  try {
    return readControl(join(tracefs.path, "instances", name, "tracing_on")).startsWith("1");
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
    return undefined;
  }
}
