import type { PodRecord } from "../event/cluster.ts";
import type { AttributeValue } from "./attributes.ts";

/** The span that a record belongs to, as lower-case hexadecimal digits. */
export interface SpanIds {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
}

/** One log record on its way out, as OpenTelemetry's data model has it. */
export interface LogEntry {
  readonly eventName: string;
  /** When it happened, in ns of Unix time. */
  readonly timeUnixNanos: bigint;
  /** One readable line. */
  readonly body: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The local pod, which `resource.mode: pod` makes the resource; undefined leaves the record to the agent. */
  readonly pod: PodRecord | undefined;
  /** The episode that it is part of. */
  readonly context: SpanIds | undefined;
}

/** Takes a record and keeps none of its objects; never throws and never waits. */
export type EmitLog = (entry: LogEntry) => void;
