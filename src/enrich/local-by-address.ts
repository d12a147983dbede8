import type { SocketFields } from "../event/tcp-event.ts";
import { namedEnd, UNKNOWN_END } from "./ends.ts";
import { type Holder, holderOfSocket } from "./holder.ts";
import { type LocalFinding, localPod } from "./local-parts.ts";
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
  return { ...UNDETERMINED, awaits: cluster.pending ? AWAITS_CLUSTER : mayCome };
}

function ofHolder(held: Holder, address: string, moment: Moment): LocalFinding {
  const { sources } = moment;
  const { cluster, nodeName } = sources;
  if (held.kind === "ambiguous") return { ...UNDETERMINED, awaits: awaitsSuccessor(address, moment) };
  const { pod } = held;
  const isTombstone = held.kind === "tombstone";
  const end = localPod(pod, { method: isTombstone ? "tombstone" : "address", sources });
  const awaits = held.mayChange ? awaitsSuccessor(address, moment) : undefined;
  if (nodeName === undefined || pod.nodeName === undefined) return { ownership: "undetermined", end, awaits };
  if (pod.nodeName === nodeName) return { ownership: "own", end, awaits };
  // A pod of another node has left the address: a pod of this one may have it now.
  if (isTombstone) return { ...UNDETERMINED, awaits };
  return { ownership: "foreign", end, awaits: cluster.pending ? AWAITS_CLUSTER : undefined };
}

const UNDETERMINED: LocalFinding = { ownership: "undetermined", end: UNKNOWN_END, awaits: undefined };
