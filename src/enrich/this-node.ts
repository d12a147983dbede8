import type { EndName } from "../event/end-name.ts";
import { namedEnd } from "./ends.ts";
import type { NameSources } from "./lookups.ts";

/** This node as an end: its name is known before its Node object is. */
export function thisNode({ cluster, nodeName }: NameSources): EndName {
  const node = nodeName === undefined ? undefined : cluster.nodeByName(nodeName);
  return namedEnd("node", nodeName ?? "this node", { method: "node", node });
}
