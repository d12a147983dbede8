import type { ServiceRecord } from "../event/cluster.ts";
import type { SocketFields } from "../event/tcp-event.ts";
import { serviceEnd, UNKNOWN_END } from "./ends.ts";
import { holderOfConnection } from "./holder.ts";
import type { Translation } from "./lookups.ts";
import { awaitsSuccessor, dialledMs, type Moment } from "./moment.ts";
import { peerHint } from "./peer-hint.ts";
import { nodeWithAddress, outsideEnd, type PeerFinding, peerPod } from "./peer-parts.ts";

/**
 * The peer by what this host translated: the service with the backend behind it, or the client behind a masquerade.
 * Undefined where neither a service nor the translated address has a name: then the address that the socket sees tells more.
 */
export function translatedPeer(
  { address, port, side }: Translation,
  { peerAddress, peerPort }: SocketFields,
  moment: Moment,
): PeerFinding | undefined {
  if (side === "client") return translatedOwner(address, { moment, services: [] });
  const { sources, unixMs } = moment;
  const service = sources.cluster.serviceAt(peerAddress, peerPort, dialledMs(moment));
  const services = service === undefined ? [] : [service];
  const { end, awaits } = translatedOwner(address, { moment, services, endpointPort: port });
  if (end.kind === "pod") return { end, awaits };
  if (service === undefined) return end.kind === "node" || end.kind === "cidr" ? { end, awaits } : undefined;
  const hint = peerHint({ service, node: end.node }, unixMs);
  return { end: serviceEnd(service, { method: "conntrack", node: end.node, hint }), awaits };
}

interface OwnerOptions {
  readonly moment: Moment;
  /** The service in front of a backend. */
  readonly services: readonly ServiceRecord[];
  /** Port of a backend, by which a hostNetwork pod may be known; a client's port tells nothing. */
  readonly endpointPort?: number;
}

function translatedOwner(address: string, { moment, services, endpointPort }: OwnerOptions): PeerFinding {
  const { cluster } = moment.sources;
  const held = holderOfConnection(address, moment);
  if (held?.kind === "ambiguous") return { end: UNKNOWN_END, awaits: awaitsSuccessor(address, moment) };
  if (held?.kind === "held") {
    return { end: peerPod(held.pod, { method: "conntrack", services, moment }), awaits: undefined };
  }
  const node = nodeWithAddress(address, "conntrack", moment);
  if (node !== undefined) {
    const pod =
      endpointPort === undefined ? undefined : cluster.endpointPod(address, endpointPort, dialledMs(moment));
    const end = pod === undefined ? node : peerPod(pod, { method: "endpointslice", services, moment });
    return { end, awaits: undefined };
  }
  if (held === undefined) return outsideEnd(address, "conntrack", moment);
  const dead = peerPod(held.pod, { method: "tombstone", services, moment });
  return { end: dead, awaits: held.mayChange ? awaitsSuccessor(address, moment) : undefined };
}
