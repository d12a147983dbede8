import type { SocketFields } from "../event/tcp-event.ts";
import { namedEnd, UNKNOWN_END } from "./ends.ts";
import { CLOSED_MS, type Holder, holderOfSocket, outlivesOwner } from "./holder.ts";
import { type LocalFinding, localPod, ofPod } from "./local-parts.ts";
import type { PodSight } from "./lookups.ts";
import { AWAITS_CLUSTER, awaitsSuccessor, type Moment } from "./moment.ts";
import { isLinkLocal, isLoopback } from "./same-everywhere.ts";
import { thisNode } from "./this-node.ts";

/**
 * Who retransmitted on a rung that tells neither cgroup nor namespace. An address tells whose the event is only where
 * one namespace alone of this kernel can have it; else it is undetermined.
 */
export function findByLocalAddress(
  { localAddress: address, state }: SocketFields,
  moment: Moment,
): LocalFinding {
  if (isLoopback(address)) return UNDETERMINED;
  const { cluster, host, nodeName } = moment.sources;
  const sight =
    isLinkLocal(address) || host.isHostAddress(address) ? undefined : seenPods(address, state, moment);
  if (sight?.kind === "stale") return { ...UNDETERMINED, awaits: `sight of ${address} at ${moment.unixMs}` };
  if (sight?.kind === "several") return ofNobody(address, awaitsSuccessor(address, moment), moment);
  if (sight?.kind === "one") {
    return ofPod(sight.podUid, { method: "address", netns: undefined, moment });
  }
  const held = holderOfSocket(address, state, moment);
  if (held !== undefined) return ofHolder(held, address, moment);
  if (host.isHostAddress(address)) {
    const ownership = isLinkLocal(address) ? "undetermined" : "own";
    return { ownership, end: thisNode(moment.sources), awaits: undefined };
  }
  const node = cluster.nodeAt(address);
  if (node !== undefined && nodeName !== undefined) {
    const end = namedEnd("node", node.name, { method: "node", node });
    return { ownership: node.name === nodeName ? "own" : "foreign", end, awaits: undefined };
  }
  const mayCome = cluster.isClusterAddress(address) ? `address ${address}` : undefined;
  return ofNobody(address, moment.lists.pending ? AWAITS_CLUSTER : mayCome, moment);
}

/**
 * What the host saw of the address when the socket had a living owner: at the event, or, of one that is closing, when
 * the connection was seen first. Where that too was after its owner had closed it, it cannot have been long before.
 */
function seenPods(address: string, state: number, moment: Moment): PodSight | undefined {
  const { unixMs, sinceMs, wasClosing, sources } = moment;
  if (!outlivesOwner(state)) return sources.host.podsWithAddress(address, unixMs, unixMs);
  return sources.host.podsWithAddress(address, sinceMs - (wasClosing ? CLOSED_MS : 0), sinceMs);
}

function ofHolder(held: Holder, address: string, moment: Moment): LocalFinding {
  const { sources } = moment;
  const { nodeName } = sources;
  if (held.kind === "ambiguous") return ofNobody(address, awaitsSuccessor(address, moment), moment);
  const { pod } = held;
  const isTombstone = held.kind === "tombstone";
  const end = localPod(pod, { method: isTombstone ? "tombstone" : "address", sources });
  const awaits = held.mayChange ? awaitsSuccessor(address, moment) : undefined;
  if (nodeName === undefined || pod.nodeName === undefined) return { ownership: "undetermined", end, awaits };
  if (pod.nodeName === nodeName) return { ownership: "own", end, awaits };
  // A pod of another node has left the address: a pod of this one may have it now.
  if (isTombstone) return ofNobody(address, awaits, moment);
  return { ownership: "foreign", end, awaits: moment.lists.pending ? AWAITS_CLUSTER : undefined };
}

/** Without a pod's name the range that the address is from may still tell whose the event is. */
function ofNobody(address: string, awaits: string | undefined, { sources }: Moment): LocalFinding {
  const { cluster, nodeName } = sources;
  const node = nodeName === undefined ? undefined : cluster.nodeOfRange(address);
  if (node === undefined) return { ...UNDETERMINED, awaits };
  const isOwn = node.name === nodeName;
  return { ...UNDETERMINED, ownership: isOwn ? "own" : "foreign", awaits: isOwn ? awaits : undefined };
}

const UNDETERMINED: LocalFinding = { ownership: "undetermined", end: UNKNOWN_END, awaits: undefined };
