import { canonicalAddress } from "../event/ip-address.ts";
import { asObject, flagOf, objectOf, objectsOf, secondsOf, textOf, textsOf } from "./json-value.ts";
import { annotatedAddresses, conventionalAddresses, hasOwnRanges } from "./node-addresses.ts";
import type { SlimNode } from "./slim.ts";

/** Cuts a Node to its addresses, ranges and state; undefined where it has no uid or name. */
export function projectNode(object: unknown): SlimNode | undefined {
  const node = asObject(object) ?? {};
  const [metadata, spec, status] = [
    objectOf(node, "metadata"),
    objectOf(node, "spec"),
    objectOf(node, "status"),
  ];
  const [uid, name] = [textOf(metadata, "uid"), textOf(metadata, "name")];
  if (uid === undefined || name === undefined) return undefined;
  const annotations = objectOf(metadata, "annotations");
  // A set makes a list without room to grow, which filter() does not.
  const podCidrs = [
    ...new Set([textOf(spec, "podCIDR") ?? "", ...textsOf(spec, "podCIDRs")].filter(Boolean)),
  ];
  // A Hostname or DNS name among them is no address and falls out.
  const addresses = objectsOf(status, "addresses")
    .map((item) => canonicalAddress(textOf(item, "address") ?? ""))
    .filter((address) => address !== undefined);
  const more = [...annotatedAddresses(annotations), ...conventionalAddresses(podCidrs, annotations)];
  const ready = objectsOf(status, "conditions").find((condition) => condition["type"] === "Ready");
  const notReady = ready !== undefined && ready["status"] !== "True";
  return {
    uid,
    name,
    zone: textOf(objectOf(metadata, "labels"), "topology.kubernetes.io/zone"),
    cordoned: flagOf(spec, "unschedulable"),
    notReadySeconds: notReady ? secondsOf(ready, "lastTransitionTime") : undefined,
    addresses: [...new Set([...addresses, ...more])],
    podCidrs,
    ownRanges: hasOwnRanges(annotations),
  };
}
