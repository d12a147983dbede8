import type { ServiceRecord } from "../event/cluster.ts";
import type { EndName } from "../event/end-name.ts";
import { TCP_NEW_SYN_RECV, TCP_SYN_RECV } from "../event/kernel-tcp.ts";
import type { SocketFields } from "../event/tcp-event.ts";
import { serviceEnd } from "./ends.ts";
import { dialledMs, type Moment } from "./moment.ts";
import { peerHint } from "./peer-hint.ts";
import { peerPod } from "./peer-parts.ts";

/**
 * What an address and port mean to who dials them: a service, and on a node's address a pod by hostPort or, of those
 * on the node's network, the one that is an endpoint there. Undefined where they mean nothing of the kind.
 */
export function dialledEnd(
  socket: SocketFields,
  node: EndName | undefined,
  moment: Moment,
): EndName | undefined {
  const { peerAddress, peerPort } = socket;
  const { unixMs } = moment;
  const { cluster } = moment.sources;
  const sinceMs = dialledMs(moment);
  const service = cluster.serviceAt(peerAddress, peerPort, sinceMs);
  if (service !== undefined) {
    // IPVS puts every ClusterIP on an interface of every node: only the API tells which node an address is of.
    const addressed = cluster.nodeAt(peerAddress);
    const hint = peerHint({ service, node: addressed }, unixMs);
    return serviceEnd(service, { method: "address", node: addressed, hint });
  }
  if (node === undefined) return undefined;
  const pod = cluster.hostPortPod(peerAddress, peerPort, sinceMs);
  if (pod !== undefined) {
    const isOver = pod.endedMs !== undefined && pod.endedMs <= unixMs;
    return peerPod(pod, { method: isOver ? "tombstone" : "address", services: [], moment });
  }
  const endpoint = cluster.endpointPod(peerAddress, peerPort, sinceMs);
  if (endpoint === undefined) return undefined;
  return peerPod(endpoint, { method: "endpointslice", services: dialledServices(socket, moment), moment });
}

/**
 * Services that a pod's address and port may stand for: only where they are resolved at the socket, which leaves no
 * trace of the one that was meant. Elsewhere the pod's own address was dialled.
 */
export function dialledServices(socket: SocketFields, moment: Moment): readonly ServiceRecord[] {
  const { cluster, socketLevelServices } = moment.sources;
  if (!socketLevelServices || isServer(socket, moment)) return NONE;
  return cluster.servicesOfEndpoint(socket.peerAddress, socket.peerPort);
}

/** Whether the local end was dialled, as far as it can be told: by a half-open state, or by being a service's endpoint. */
export function isServer({ state, localAddress, localPort }: SocketFields, { sources }: Moment): boolean {
  if (state === TCP_NEW_SYN_RECV || state === TCP_SYN_RECV) return true;
  return sources.cluster.servicesOfEndpoint(localAddress, localPort).length > 0;
}

const NONE: readonly ServiceRecord[] = [];
