import type { PodRecord } from "../event/cluster.ts";
import type { Ends } from "../event/end-name.ts";

/** The pod whose resource a record or span is on, where pods have one: none for what may be another node's. */
export function resourcePod(ends: Ends | undefined): PodRecord | undefined {
  return ends?.ownership === "own" ? ends.local.pod : undefined;
}
