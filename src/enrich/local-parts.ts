import type { PodRecord } from "../event/cluster.ts";
import type { AttributionMethod, EndName, Ownership } from "../event/end-name.ts";
import { podEnd, UNKNOWN_END } from "./ends.ts";
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

/** How a socket's pod was found. */
export interface PodOnSocket extends LocalPodOptions {
  readonly netns: number | undefined;
}

/** A uid of which the API says nothing stays unknown: its address may be another's by now. */
export function ofPod(uid: string, sight: PodOnSocket): LocalFinding {
  const pod = sight.sources.cluster.podByUid(uid);
  if (pod !== undefined) {
    return { ownership: ownershipOf(pod, sight), end: localPod(pod, sight), awaits: undefined };
  }
  return { ownership: bySight(sight, "foreign"), end: UNKNOWN_END, awaits: `pod ${uid}` };
}

/** Another node's cgroups may be in sight of this one, so the node that the API tells decides. */
function ownershipOf(pod: PodRecord, sight: PodOnSocket): Ownership | "foreign" {
  const { nodeName } = sight.sources;
  if (nodeName === undefined || pod.nodeName === undefined) return bySight(sight, "undetermined");
  return pod.nodeName === nodeName ? "own" : "foreign";
}

function bySight({ netns, sources }: PodOnSocket, outOfSight: Ownership | "foreign"): Ownership | "foreign" {
  if (netns === undefined) return "undetermined";
  return sources.host.namespace(netns) === undefined ? outOfSight : "own";
}
