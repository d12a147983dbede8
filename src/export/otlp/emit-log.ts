import {
  type Context,
  type Logger,
  logs,
  ROOT_CONTEXT,
  SeverityNumber,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, type LogRecordLimits, type LogRecordProcessor } from "@opentelemetry/sdk-logs";
import type { PodRecord } from "../../event/cluster.ts";
import type { EmitLog, SpanIds } from "../log-entry.ts";
import { hrTime } from "./hr-time.ts";
import { PerPod } from "./per-pod.ts";
import { sdkAttributes } from "./sdk-attributes.ts";
import type { PodResources, Scope } from "./signal-output.ts";

export interface LogEmitterOptions {
  readonly scope: Scope;
  readonly podResources: PodResources;
  /** What pods' records go to; the agent's go where the registered provider sends them. */
  readonly processor: LogRecordProcessor;
  readonly limits: LogRecordLimits;
}

/** Emits through the SDK's Logs API, which must have been started. */
export function logEmitter({ scope, podResources, processor, limits }: LogEmitterOptions): EmitLog {
  const agent = logs.getLogger(...scope);
  const pods =
    podResources &&
    new PerPod((pod) => {
      const resource = resourceFromAttributes(podResources(pod));
      const provider = new LoggerProvider({ resource, processors: [processor], logRecordLimits: limits });
      return provider.getLogger(...scope);
    });
  const loggerOf = (pod: PodRecord | undefined): Logger =>
    pod === undefined || pods === undefined ? agent : pods.get(pod);
  return ({ eventName, timeUnixNanos, body, attributes, pod, context }) => {
    loggerOf(pod).emit({
      eventName,
      timestamp: hrTime(timeUnixNanos),
      severityNumber: SeverityNumber.INFO,
      body,
      attributes: sdkAttributes(attributes),
      context: contextOf(context),
    });
  };
}

function contextOf(ids: SpanIds | undefined): Context {
  if (ids === undefined) return ROOT_CONTEXT;
  const { traceId, spanId } = ids;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED });
}
