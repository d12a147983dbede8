import { canonicalAddress, formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "../event/ip-address.ts";
import { asObject, type JsonObject, textOf } from "./json-value.ts";

/** Annotations that hold an address of the node, some with the length of a prefix. */
const ADDRESS_ANNOTATIONS = [
  "flannel.alpha.coreos.com/public-ip",
  "flannel.alpha.coreos.com/public-ipv6",
  "projectcalico.org/IPv4Address",
  "projectcalico.org/IPv6Address",
  "projectcalico.org/IPv4IPIPTunnelAddr",
  "projectcalico.org/IPv4VXLANTunnelAddr",
  "projectcalico.org/IPv6VXLANTunnelAddr",
  "projectcalico.org/IPv4WireguardInterfaceAddr",
  "projectcalico.org/IPv6WireguardInterfaceAddr",
  "network.cilium.io/ipv4-cilium-host",
  "network.cilium.io/ipv6-cilium-host",
] as const;

/** Annotations of OVN-Kubernetes with addresses inside JSON: the router's and the one on the transit switch. */
const JSON_ANNOTATIONS = [
  "k8s.ovn.org/node-gateway-router-lrp-ifaddr",
  "k8s.ovn.org/node-gateway-router-lrp-ifaddrs",
  "k8s.ovn.org/node-transit-switch-port-ifaddr",
] as const;

/** CNIs whose pods may have addresses outside their node's podCIDRs, or whose first address there is no node's. */
const OWN_RANGES = ["projectcalico.org/", "network.cilium.io/", "k8s.ovn.org/"] as const;

/** Addresses that annotations of the usual CNIs give to a node: of tunnels, bridges and routers. */
export function annotatedAddresses(annotations: JsonObject): readonly string[] {
  const texts = ADDRESS_ANNOTATIONS.map((key) => textOf(annotations, key));
  for (const key of JSON_ANNOTATIONS) texts.push(...textsInJson(textOf(annotations, key)));
  return texts
    .map((text) => canonicalAddress(text?.split("/")[0] ?? ""))
    .filter((address) => address !== undefined);
}

/** Whether the annotations are of a CNI that does not keep to the node's podCIDRs. */
export function hasOwnRanges(annotations: JsonObject): boolean {
  return Object.keys(annotations).some((key) => OWN_RANGES.some((prefix) => key.startsWith(prefix)));
}

/**
 * Addresses of a node in its podCIDRs by convention: the first one is its bridge's (the host-local plugin, kubenet),
 * and with flannel the range's own address is its tunnel's. Nothing where the CNI has ranges of its own.
 */
export function conventionalAddresses(
  podCidrs: readonly string[],
  annotations: JsonObject,
): readonly string[] {
  if (hasOwnRanges(annotations)) return [];
  const flannel = Object.keys(annotations).some((key) => key.startsWith("flannel.alpha.coreos.com/"));
  const offsets = flannel ? [0, 1] : [1];
  return podCidrs.flatMap((cidr) =>
    offsets.map((offset) => addressAt(cidr, offset)).filter((address) => address !== undefined),
  );
}

/** Address number `offset` of a range whose text is its own first address, as the API requires of a podCIDR. */
function addressAt(cidr: string, offset: number): string | undefined {
  const base = cidr.split("/")[0] ?? "";
  const word = parseIpv4(base);
  if (word !== undefined) return formatIpv4(word + offset);
  const words = parseIpv6(base);
  return words && formatIpv6([words[0], words[1], words[2], words[3] + offset]);
}

/** Every text in a JSON text, two levels deep: by family, or by network and family. */
function textsInJson(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  try {
    const outer = Object.values(asObject(JSON.parse(text)) ?? {});
    const all = outer.flatMap((value) => [value, ...Object.values(asObject(value) ?? {})]);
    return all.filter((value) => typeof value === "string");
  } catch {
    return []; // An annotation is anybody's text.
  }
}
