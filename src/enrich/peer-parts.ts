import type { PodRecord, ServiceRecord } from "../event/cluster.ts";
import type { AttributionMethod, EndName } from "../event/end-name.ts";
import { EXTERNAL_END, namedEnd, podEnd, UNKNOWN_END } from "./ends.ts";
import type { Translation } from "./lookups.ts";
import { AWAITS_CLUSTER, AWAITS_COMPLETE, type Moment } from "./moment.ts";
import { peerHint } from "./peer-hint.ts";
import { thisNode } from "./this-node.ts";

export interface PeerFinding {
  readonly end: EndName;
  /** What is not known yet and may come: waiting for it can help. */
  readonly awaits: string | undefined;
  /** What connection tracking made of the connection, where it is known. */
  readonly translation?: Translation | undefined;
}

export interface PeerPodOptions {
  readonly method: AttributionMethod;
  /** Services that the socket may have meant: the one, or candidates. */
  readonly services: readonly ServiceRecord[];
  readonly moment: Moment;
}

/** A pod as a peer: with its node, the service in front of it, and what its state explains. */
export function peerPod(pod: PodRecord, { method, services, moment }: PeerPodOptions): EndName {
  const { cluster } = moment.sources;
  const node = pod.nodeName === undefined ? undefined : cluster.nodeByName(pod.nodeName);
  const service = services.length === 1 ? services[0] : undefined;
  const candidates = services.length > 1 ? services : NONE;
  const hint = peerHint({ pod, service, node }, moment.unixMs);
  return podEnd(pod, { method, node, service, candidates, hint });
}

/** The node with an address; this one for every address of the host's own interfaces, which the API may not know. */
export function nodeWithAddress(
  address: string,
  method: AttributionMethod,
  { sources, unixMs }: Moment,
): EndName | undefined {
  const own = sources.host.isHostAddress(address) ? thisNode(sources) : undefined;
  const node = own === undefined ? sources.cluster.nodeAt(address) : own.node;
  const name = own?.name ?? node?.name;
  return name === undefined
    ? undefined
    : namedEnd("node", name, { method, node, hint: peerHint({ node }, unixMs) });
}

/** An address that no pod, service or node has: a named range, certainly outside, or not known. */
export function outsideEnd(
  address: string,
  method: AttributionMethod,
  { sources, lists }: Moment,
): PeerFinding {
  const { cluster, wholeCluster } = sources;
  const isCluster = cluster.isClusterAddress(address);
  const isOutside = !isCluster && lists.complete;
  const mayCome = isCluster ? `address ${address}` : AWAITS_COMPLETE;
  const awaits = isOutside ? undefined : lists.pending ? AWAITS_CLUSTER : wholeCluster ? mayCome : undefined;
  const name = cluster.cidrName(address);
  if (name !== undefined) return { end: namedEnd("cidr", name, { method }), awaits };
  return { end: isOutside ? EXTERNAL_END : UNKNOWN_END, awaits };
}

const NONE: readonly ServiceRecord[] = [];
