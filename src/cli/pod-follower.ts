import type { PodRecord } from "../event/cluster.ts";
import type { OwnerIndex } from "../kube/owner-index.ts";
import type { AgentParts } from "./agent-parts.ts";
import type { NamingSession } from "./naming-session.ts";

/** Makes a function that tells the metrics which pods of this node live: to be called about once a second. */
export function podFollower({ names, metrics }: AgentParts): () => void {
  let known: ReadonlySet<string> = new Set();
  return () => {
    if (names === undefined) return;
    const now = new Set<string>();
    for (const pod of names.watch.index.ownPods()) {
      now.add(pod.uid);
      metrics.podSeen(pod);
    }
    for (const uid of known) if (!now.has(uid)) metrics.podGone(uid);
    known = now;
  };
}

/** A pod by its uid, where it is known to run on this node. */
export function ownPod(uid: string, { nodeName, watch: { index } }: NodeOfPods): PodRecord | undefined {
  const pod = index.podByUid(uid);
  return nodeName !== undefined && pod?.nodeName === nodeName ? pod : undefined;
}

/** What of the names says which pods are a node's. */
type NodeOfPods = Pick<NamingSession, "nodeName"> & {
  readonly watch: { readonly index: Pick<OwnerIndex, "podByUid"> };
};
