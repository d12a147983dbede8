import type { PodRecord } from "../event/cluster.ts";
import type { AttributeValue } from "./attributes.ts";
import type { SpanIds } from "./log-entry.ts";

/** How a span ended. */
export interface SpanStatus {
  readonly code: "ok" | "error" | "unset";
  /** Only with `error`. */
  readonly message?: string | undefined;
}

export interface SpanEnd {
  /** When it ended, in ns of Unix time. */
  readonly unixNanos: bigint;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly status: SpanStatus;
}

/** A span that has begun; its ids are known from the first, so that records can carry them. */
export interface OpenSpan extends SpanIds {
  /** Adds an event to the span; how many there may be is up to the caller. */
  event(name: string, unixNanos: bigint, attributes: Readonly<Record<string, AttributeValue>>): void;
  /** Ends the span and hands it on; nothing can be done with it afterwards. */
  end(end: SpanEnd): void;
}

export interface SpanStart {
  readonly name: string;
  readonly startUnixNanos: bigint;
  /** The local pod, which `resource.mode: pod` makes the resource; undefined leaves the span to the agent. */
  readonly pod: PodRecord | undefined;
}

/** Begins a root span; undefined where the sampler leaves it out. */
export type StartSpan = (start: SpanStart) => OpenSpan | undefined;
