import {
  type Attributes,
  type Context,
  type Logger,
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
  /** The agent's. */
  readonly resource: Attributes;
  readonly podResources: PodResources;
  readonly processor: LogRecordProcessor;
  readonly limits: LogRecordLimits;
}

/** Emits through the SDK's loggers, one for each resource: NodeSDK's own takes no limits but those of the environment. */
export function logEmitter(options: LogEmitterOptions): EmitLog {
  const { scope, podResources, processor, limits: logRecordLimits } = options;
  const loggerFor = (attributes: Attributes) => {
    const resource = resourceFromAttributes(attributes);
    return new LoggerProvider({ resource, processors: [processor], logRecordLimits }).getLogger(...scope);
  };
  const agent = loggerFor(options.resource);
  const pods = podResources && new PerPod((pod) => loggerFor(podResources(pod)));
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
