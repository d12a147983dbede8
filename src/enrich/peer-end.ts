import type { EndName } from "../event/end-name.ts";
import type { SocketFields } from "../event/tcp-event.ts";
import { dialledEnd, dialledServices, isServer } from "./dialled-end.ts";
import { UNKNOWN_END } from "./ends.ts";
import { holderOfConnection, outlivesOwner } from "./holder.ts";
import { AWAITS_CLUSTER, awaitsSuccessor, type Moment } from "./moment.ts";
import { nodeWithAddress, outsideEnd, type PeerFinding, peerPod } from "./peer-parts.ts";
import { isLoopback } from "./same-everywhere.ts";
import { inSameNamespace } from "./same-namespace.ts";
import { translatedPeer } from "./translated-peer.ts";

/**
 * Who the peer is: what this host's connection tracking made of it, else who held its address. The local end, as it
 * was found, tells who is behind an address that every namespace has.
 */
export function findPeer(socket: SocketFields, local: EndName, moment: Moment): PeerFinding {
  const { conntrack } = moment.sources;
  // Who has the address of a pod that is gone may use the port of a socket that outlives it.
  const known = outlivesOwner(socket.state) ? moment.translation : undefined;
  const told = known ?? conntrack?.translation(socket);
  // An entry may be gone before its connection: the kernel forgets those that nothing answers.
  const translation = told === undefined || told === "pending" ? moment.translation : told;
  const translated = translation && translatedPeer(translation, socket, moment);
  const { end, awaits: missing } = translated ?? byAddress(socket, local, moment);
  const asked = told === "pending" && translation === undefined ? questionOf(socket) : missing;
  const awaits = asked ?? (mayGrow(end) && moment.lists.pending ? AWAITS_CLUSTER : undefined);
  return { end, awaits, translation };
}

function questionOf({ localAddress, localPort, peerAddress, peerPort }: SocketFields): string {
  return `conntrack ${localAddress} ${localPort} ${peerAddress} ${peerPort}`;
}

/** A node or a service alone: a list that is not in yet may have the service on it, or the pod behind it. */
function mayGrow({ kind, pod }: EndName): boolean {
  return kind === "node" || (kind === "service" && pod === undefined);
}

/** In the order of the issue: pod, service, hostPort, node, range, external; a dead pod where nobody lives. */
function byAddress(socket: SocketFields, local: EndName, moment: Moment): PeerFinding {
  const { peerAddress } = socket;
  if (isLoopback(peerAddress)) return known(inSameNamespace(socket, local, moment));
  const held = holderOfConnection(peerAddress, moment);
  if (held?.kind === "ambiguous") return { end: UNKNOWN_END, awaits: awaitsSuccessor(peerAddress, moment) };
  if (held?.kind === "held") {
    const services = dialledServices(socket, moment);
    const method = services.length === 0 ? "address" : "endpointslice";
    return known(peerPod(held.pod, { method, services, moment }));
  }
  if (peerAddress === socket.localAddress) {
    const same = inSameNamespace(socket, local, moment);
    if (same.kind === "pod" || same.kind === "process") return known(same);
  }
  const node = nodeWithAddress(peerAddress, "node", moment);
  // A masquerade, or a process of a node, may use a port that means a service there.
  const isClient = node !== undefined && isServer(socket, moment);
  const end = (isClient ? undefined : dialledEnd(socket, node, moment)) ?? node;
  if (end !== undefined) return known(end);
  if (held === undefined) return outsideEnd(peerAddress, "cidr", moment);
  const dead = peerPod(held.pod, { method: "tombstone", services: [], moment });
  return { end: dead, awaits: held.mayChange ? awaitsSuccessor(peerAddress, moment) : undefined };
}

function known(end: EndName): PeerFinding {
  return { end, awaits: undefined };
}
