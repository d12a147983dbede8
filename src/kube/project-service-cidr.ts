import { asObject, objectOf, textOf, textsOf } from "./json-value.ts";
import type { SlimServiceCidr } from "./slim.ts";

/** Cuts a ServiceCIDR to its ranges; undefined where it has no uid. */
export function projectServiceCidr(object: unknown): SlimServiceCidr | undefined {
  const range = asObject(object) ?? {};
  const uid = textOf(objectOf(range, "metadata"), "uid");
  return uid === undefined ? undefined : { uid, cidrs: textsOf(objectOf(range, "spec"), "cidrs") };
}
