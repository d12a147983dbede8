import type { NodeRecord, PodRecord, ServiceRecord } from "../event/cluster.ts";
import type { AttributionMethod, EndName, Hint } from "../event/end-name.ts";

const NOTHING: EndName = {
  kind: "unknown",
  name: "unknown",
  method: "none",
  pod: undefined,
  container: undefined,
  service: undefined,
  candidates: [],
  node: undefined,
  hint: undefined,
};

/** No name could be found. */
export const UNKNOWN_END: EndName = NOTHING;

/** Certainly outside the cluster. */
export const EXTERNAL_END: EndName = { ...NOTHING, kind: "external", name: "external" };

export interface PodEndOptions {
  readonly method: AttributionMethod;
  readonly node: NodeRecord | undefined;
  readonly container?: string | undefined;
  readonly service?: ServiceRecord | undefined;
  readonly candidates?: readonly ServiceRecord[];
  readonly hint?: Hint | undefined;
}

export function podEnd(pod: PodRecord, options: PodEndOptions): EndName {
  return {
    kind: "pod",
    name: `${pod.namespace}/${pod.name}`,
    method: options.method,
    pod,
    container: options.container,
    service: options.service,
    candidates: options.candidates ?? NOTHING.candidates,
    node: options.node,
    hint: options.hint,
  };
}

export interface ServiceEndOptions {
  readonly method: AttributionMethod;
  /** The node whose address the service was addressed by, or that the connection goes to. */
  readonly node: NodeRecord | undefined;
  readonly hint: Hint | undefined;
}

export function serviceEnd(service: ServiceRecord, { method, node, hint }: ServiceEndOptions): EndName {
  const name = `${service.namespace}/${service.name}`;
  return { ...NOTHING, kind: "service", name, method, service, node, hint };
}

export interface NamedEndOptions {
  readonly method: AttributionMethod;
  readonly node?: NodeRecord | undefined;
  readonly hint?: Hint | undefined;
}

/** A node, a process or a range of addresses, by its name. */
export function namedEnd(
  kind: "node" | "process" | "cidr",
  name: string,
  { method, node, hint }: NamedEndOptions,
): EndName {
  return { ...NOTHING, kind, name, method, node, hint };
}

/** Whether two ends say the same, so that one may stand for the other. A pod's or service's name is its own for life. */
export function isSameEnd(a: EndName, b: EndName): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.method !== b.method || a.pod !== b.pod || a.service !== b.service) return false;
  if (a.node !== b.node || a.container !== b.container) return false;
  if (a.pod === undefined && a.service === undefined && a.name !== b.name) return false;
  return isSameHint(a.hint, b.hint) && areSame(a.candidates, b.candidates);
}

function isSameHint(a: Hint | undefined, b: Hint | undefined): boolean {
  return a === b || (a !== undefined && a.kind === b?.kind && a.ageSeconds === b.ageSeconds);
}

function areSame(a: readonly ServiceRecord[], b: readonly ServiceRecord[]): boolean {
  return a === b || (a.length === b.length && a.every((service, i) => service === b[i]));
}
