import type { PodRecord } from "../event/cluster.ts";
import type { AttributionMethod, EndName, Ownership } from "../event/end-name.ts";
import { podEnd, UNKNOWN_END } from "./ends.ts";
import type { NameSources } from "./lookups.ts";
import { awaitsSight, type Moment, namespaceOf } from "./moment.ts";

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

/** How a socket's pod was found. */
export interface PodOnSocket extends Omit<LocalPodOptions, "sources"> {
  readonly netns: number | undefined;
  readonly moment: Moment;
}

/**
 * Another node's cgroups may be in sight of this one, so the node that the API tells decides. A uid of which the API
 * says nothing stays unknown: its address may be another's by now.
 */
export function ofPod(uid: string, { netns, moment, ...found }: PodOnSocket): LocalFinding {
  const { sources } = moment;
  const pod = sources.cluster.podByUid(uid);
  const end = pod === undefined ? UNKNOWN_END : localPod(pod, { ...found, sources });
  const { nodeName } = sources;
  if (pod?.nodeName !== undefined && nodeName !== undefined) {
    return { ownership: pod.nodeName === nodeName ? "own" : "foreign", end, awaits: undefined };
  }
  const awaits = pod === undefined ? `pod ${uid}` : undefined;
  if (netns === undefined) return { ownership: "undetermined", end, awaits };
  const space = namespaceOf(netns, moment);
  if (space === undefined) return { ownership: pod === undefined ? "foreign" : "undetermined", end, awaits };
  if (space.kind === "stale") return { ownership: "undetermined", end, awaits: awaitsSight(netns, moment) };
  const isUntold = space.kind === "process" && space.name === undefined;
  return { ownership: isUntold ? "undetermined" : "own", end, awaits };
}
