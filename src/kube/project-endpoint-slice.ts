import { canonicalAddress } from "../event/ip-address.ts";
import {
  asObject,
  type JsonObject,
  objectOf,
  objectsOf,
  portOf,
  secondsOf,
  textOf,
  textsOf,
} from "./json-value.ts";
import type { SlimEndpoint, SlimEndpointSlice } from "./slim.ts";

/** Cuts an EndpointSlice to its service, TCP ports and endpoints; undefined where it is no service's. */
export function projectEndpointSlice(object: unknown): SlimEndpointSlice | undefined {
  const slice = asObject(object) ?? {};
  const metadata = objectOf(slice, "metadata");
  const [uid, namespace] = [textOf(metadata, "uid"), textOf(metadata, "namespace")];
  const service = textOf(objectOf(metadata, "labels"), "kubernetes.io/service-name");
  if (uid === undefined || namespace === undefined || service === undefined) return undefined;
  const trigger = "endpoints.kubernetes.io/last-change-trigger-time";
  return {
    uid,
    namespace,
    service,
    ports: tcpPorts(objectsOf(slice, "ports")),
    endpoints: objectsOf(slice, "endpoints").flatMap(endpointsOf),
    changedSeconds: secondsOf(objectOf(metadata, "annotations"), trigger),
  };
}

/** A port without a number stands for every port; a slice without ports has none. */
function tcpPorts(ports: readonly JsonObject[]): readonly number[] | undefined {
  const tcp = ports.filter((port) => (textOf(port, "protocol") ?? "TCP") === "TCP");
  const numbers = tcp.map((port) => portOf(port, "port"));
  return numbers.includes(undefined) ? undefined : numbers.filter((port) => port !== undefined);
}

function endpointsOf(endpoint: JsonObject): readonly SlimEndpoint[] {
  const target = objectOf(endpoint, "targetRef");
  const podUid = textOf(target, "kind") === "Pod" ? textOf(target, "uid") : undefined;
  // The API's own rule: a condition that is not given is to be taken as ready.
  const ready = objectOf(endpoint, "conditions")["ready"] !== false;
  return textsOf(endpoint, "addresses")
    .map(canonicalAddress)
    .filter((address) => address !== undefined)
    .map((address) => ({ address, ready, podUid }));
}
