import type { Attributes } from "@opentelemetry/api";
import type { PodRecord } from "../../event/cluster.ts";
import type { RouteEnd, RouteOptions } from "./signal-route.ts";

/** The instrumentation scope of what is exported: its name and version. */
export type Scope = readonly [name: string, version: string];

/** The resource attributes that a pod's records and spans go under; undefined leaves all to the agent's. */
export type PodResources = ((pod: PodRecord) => Readonly<Record<string, string>>) | undefined;

/** What all signals' ways out have in common. */
export interface SharedParts extends Omit<RouteOptions, "batch"> {
  readonly scope: Scope;
  /** The agent's. */
  readonly resource: Attributes;
  readonly podResources: PodResources;
}

/** One signal's way out: what the SDK hands to, and what gives the SDK its work once it has started. */
export interface SignalOutput<Processor, Begin> {
  readonly processor: Processor;
  /** Undefined on the console. */
  readonly route: RouteEnd | undefined;
  readonly start: () => Begin;
}
