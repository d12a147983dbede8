import type { NodeRecord, PodRecord, ServiceRecord } from "./cluster.ts";
import type { TcpEvent } from "./tcp-event.ts";

/** What an end of a connection is. Values of `source.kind` and `destination.kind`. */
export const OWNER_KINDS = ["pod", "service", "node", "process", "cidr", "external", "unknown"] as const;
export type OwnerKind = (typeof OWNER_KINDS)[number];

/** How an end's name was found. Values of `source.attribution` and `destination.attribution`. */
export const ATTRIBUTION_METHODS = [
  "cgroup",
  "netns",
  "address",
  "conntrack",
  "endpointslice",
  "tombstone",
  "node",
  "cidr",
  "none",
] as const;
export type AttributionMethod = (typeof ATTRIBUTION_METHODS)[number];

/** What an end's own state says about the usual cause. Values of `destination.hint`. */
export const HINTS = [
  "pod_deleted",
  "pod_terminating",
  "pod_not_ready",
  "no_endpoints",
  "node_not_ready",
  "node_cordoned",
] as const;
export type HintKind = (typeof HINTS)[number];

export interface Hint {
  readonly kind: HintKind;
  /** Seconds from the change to the event; undefined where the API does not tell when (cordoned). */
  readonly ageSeconds: number | undefined;
}

/** One end of a connection by name, as it was at the event's time. */
export interface EndName {
  readonly kind: OwnerKind;
  /** The one name to show: `namespace/name` of a pod or service, a node's, unit's or CIDR's name, `external`, `unknown`. */
  readonly name: string;
  readonly method: AttributionMethod;
  /** The pod at this end: behind the service where one was addressed. */
  readonly pod: PodRecord | undefined;
  /** The container's name, where the socket's cgroup told it. */
  readonly container: string | undefined;
  /** The service that the socket addressed, or is known to have meant. */
  readonly service: ServiceRecord | undefined;
  /** Every service that it may have meant, where that is more than one; then `service` is undefined. */
  readonly candidates: readonly ServiceRecord[];
  /** The node at this end, or the one that its pod runs on. */
  readonly node: NodeRecord | undefined;
  readonly hint: Hint | undefined;
}

/**
 * Whose the event is where several Kubernetes nodes share one kernel: this node's, or `undetermined` on a rung
 * that cannot tell. Foreign ones are counted and go no further.
 */
export type Ownership = "own" | "undetermined";

/** Both ends by name. */
export interface Ends {
  readonly ownership: Ownership;
  readonly local: EndName;
  readonly peer: EndName;
}

/** An event with the names of its ends; undefined where names are not asked for. */
export interface EnrichedEvent {
  readonly event: TcpEvent;
  readonly ends: Ends | undefined;
}
