import { canonicalAddress } from "../event/ip-address.ts";
import { asObject, objectOf, objectsOf, portOf, secondsOf, textOf, textsOf } from "./json-value.ts";
import type { SlimService } from "./slim.ts";

/** Cuts a Service to its names, addresses and TCP ports; undefined where it has no uid or name. */
export function projectService(object: unknown): SlimService | undefined {
  const service = asObject(object) ?? {};
  const metadata = objectOf(service, "metadata");
  const [uid, namespace, name] = [
    textOf(metadata, "uid"),
    textOf(metadata, "namespace"),
    textOf(metadata, "name"),
  ];
  if (uid === undefined || namespace === undefined || name === undefined) return undefined;
  const spec = objectOf(service, "spec");
  const ports = objectsOf(spec, "ports").filter((port) => (textOf(port, "protocol") ?? "TCP") === "TCP");
  const ingress = objectsOf(objectOf(objectOf(service, "status"), "loadBalancer"), "ingress");
  const shared = [...ingress.map((way) => textOf(way, "ip")), ...textsOf(spec, "externalIPs")];
  return {
    uid,
    namespace,
    name,
    createdSeconds: secondsOf(metadata, "creationTimestamp"),
    // Headless says "None", which is no address; objects from before dual stack have clusterIP alone.
    clusterAddresses: canonical([textOf(spec, "clusterIP"), ...textsOf(spec, "clusterIPs")]),
    sharedAddresses: canonical(shared),
    ports: ports.map((port) => portOf(port, "port")).filter((port) => port !== undefined),
    nodePorts: ports.map((port) => portOf(port, "nodePort")).filter((port) => port !== undefined),
  };
}

function canonical(texts: readonly (string | undefined)[]): readonly string[] {
  const addresses = texts.map((text) => canonicalAddress(text ?? "")).filter((text) => text !== undefined);
  return [...new Set(addresses)];
}
