import type { ServiceNaming } from "../event/cluster.ts";
import { type JsonObject, objectOf } from "./json-value.ts";

const LABELS = "app.kubernetes.io/";
const ANNOTATIONS = "resource.opentelemetry.io/";
/** Longest annotation that is kept; labels end at 63 characters by themselves. */
const MAX_VALUE = 1024;
const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** What a pod's metadata says for service.name and its like; undefined where it says nothing. */
export function namingOf(metadata: JsonObject): ServiceNaming | undefined {
  const labels = membersUnder(objectOf(metadata, "labels"), LABELS);
  const annotations = membersUnder(objectOf(metadata, "annotations"), ANNOTATIONS);
  return labels === NONE && annotations === NONE ? undefined : { labels, annotations };
}

/** Says whether and how two of them differ: equal text for equal ones. */
export function namingKey({ labels, annotations }: ServiceNaming): string {
  return JSON.stringify([Object.entries(labels).sort(), Object.entries(annotations).sort()]);
}

function membersUnder(members: JsonObject, prefix: string): Readonly<Record<string, string>> {
  let kept: [string, string][] | undefined;
  for (const key in members) {
    const value = members[key];
    if (!key.startsWith(prefix) || typeof value !== "string" || value.length > MAX_VALUE) continue;
    kept ??= [];
    kept.push([key.slice(prefix.length), value]);
  }
  return kept === undefined ? NONE : Object.fromEntries(kept);
}
