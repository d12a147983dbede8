import type { NodeRecord, PodRecord, ServiceRecord } from "../event/cluster.ts";
import type { Hint, HintKind } from "../event/end-name.ts";

/** What there is at a peer, as far as it is known. */
export interface PeerParts {
  readonly pod?: PodRecord | undefined;
  readonly service?: ServiceRecord | undefined;
  readonly node?: NodeRecord | undefined;
}

/**
 * The one state of a peer that most likely explains a retransmit, as it was at a time in Unix milliseconds: what came
 * later is no cause. The API's own times are whole seconds, so an age may be up to a second too large.
 */
export function peerHint({ pod, service, node }: PeerParts, unixMs: number): Hint | undefined {
  if (pod !== undefined) {
    if (isSince(pod.endedMs, unixMs)) return hint("pod_deleted", pod.endedMs, unixMs);
    if (isSince(pod.terminatingSinceMs, unixMs)) {
      return hint("pod_terminating", pod.terminatingSinceMs, unixMs);
    }
    const notReady = pod.ready ? undefined : pod.readySinceMs;
    if (isSince(notReady, unixMs)) return hint("pod_not_ready", notReady, unixMs);
    if (!wasReady(pod, unixMs)) return hint("pod_not_ready", undefined, unixMs);
  }
  if (isSince(service?.noEndpointsSinceMs, unixMs)) {
    return hint("no_endpoints", service?.noEndpointsSinceMs, unixMs);
  }
  if (isSince(node?.notReadySinceMs, unixMs)) return hint("node_not_ready", node?.notReadySinceMs, unixMs);
  return node?.cordoned ? hint("node_cordoned", undefined, unixMs) : undefined;
}

function hint(kind: HintKind, sinceMs: number | undefined, unixMs: number): Hint {
  return { kind, ageSeconds: sinceMs === undefined ? undefined : Math.round(unixMs - sinceMs) / 1000 };
}

function isSince(sinceMs: number | undefined, unixMs: number): boolean {
  return sinceMs !== undefined && sinceMs <= unixMs;
}

/** False where it became ready only later, or never was: no condition is told before the kubelet's first word. */
function wasReady({ ready, readySinceMs }: PodRecord, unixMs: number): boolean {
  if (readySinceMs === undefined) return ready;
  return ready ? readySinceMs <= unixMs : readySinceMs > unixMs;
}
