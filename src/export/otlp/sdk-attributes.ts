import type { Attributes } from "@opentelemetry/api";
import type { AttributeValue } from "../attributes.ts";

/** Attributes as the SDK takes them: it copies each and changes none, though its types do not say so of lists. */
export function sdkAttributes(attributes: Readonly<Record<string, AttributeValue>>): Attributes {
  return attributes as Attributes;
}
