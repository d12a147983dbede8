import type { Attributes } from "@opentelemetry/api";
import type { AttributeValue } from "../attributes.ts";

/** Attributes as the SDK takes them: it copies them, though its types do not say so of lists. */
export function sdkAttributes(attributes: Readonly<Record<string, AttributeValue>>): Attributes {
  const copy: Attributes = {};
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) copy[key] = typeof value === "object" ? [...value] : value;
  }
  return copy;
}
