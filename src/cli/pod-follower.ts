import type { AgentParts } from "./agent-parts.ts";

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
