import type { PodRecord } from "../event/cluster.ts";
import type { AttributionMethod, EndName, Ownership } from "../event/end-name.ts";
import { podEnd } from "./ends.ts";
import type { NameSources } from "./lookups.ts";

export interface LocalFinding {
  /** `foreign`: another node's on the same kernel. While something is awaited, what holds if it never comes. */
  readonly ownership: Ownership | "foreign";
  readonly end: EndName;
  /** What is not known yet and may come: waiting for it can help. */
  readonly awaits: string | undefined;
}

export interface LocalPodOptions {
  readonly method: AttributionMethod;
  /** 64 hex digits, where the cgroup is a container's. */
  readonly containerId?: string | undefined;
  readonly sources: NameSources;
}

/** A pod as the local end, with its container and its node. */
export function localPod(pod: PodRecord, { method, containerId, sources }: LocalPodOptions): EndName {
  const container = containerId === undefined ? undefined : pod.containers?.get(containerId);
  const node = pod.nodeName === undefined ? undefined : sources.cluster.nodeByName(pod.nodeName);
  return podEnd(pod, { method, container, node });
}
