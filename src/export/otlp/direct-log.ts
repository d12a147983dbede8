import { type Attributes, type HrTime, SeverityNumber, TraceFlags } from "@opentelemetry/api";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { LogRecordLimits } from "@opentelemetry/sdk-logs";
import type { PodRecord } from "../../event/cluster.ts";
import { ATTRIBUTES } from "../attributes.ts";
import type { EmitLog, SpanIds } from "../log-entry.ts";
import type { EncodableRecord } from "./encode-logs.ts";
import { hrTime } from "./hr-time.ts";
import { PerPod } from "./per-pod.ts";
import { sdkAttributes } from "./sdk-attributes.ts";
import type { SharedParts } from "./signal-output.ts";

export interface DirectLogOptions
  extends Pick<SharedParts, "scope" | "resource" | "podResources" | "unixMs"> {
  readonly add: (record: EncodableRecord) => void;
}

/** Whether no record of ours can have more attributes, or longer ones, than these limits allow. */
export function isWithinLimits({ attributeCountLimit, attributeValueLengthLimit }: LogRecordLimits): boolean {
  const maxCount = Object.keys(ATTRIBUTES).length;
  return (attributeCountLimit ?? 0) >= maxCount && attributeValueLengthLimit === undefined;
}

/**
 * Makes the records that the SDK's loggers would make, without them: those copy and check each attribute, which takes as
 * long as encoding it. For records that no limit cuts.
 */
export function directLogEmitter(options: DirectLogOptions): EmitLog {
  const { scope, podResources, add, unixMs } = options;
  const [name, version] = scope;
  const instrumentationScope = { name, version };
  const agent = resourceFromAttributes(options.resource);
  const pods = podResources && new PerPod((pod) => resourceFromAttributes(podResources(pod) as Attributes));
  const resourceOf = (pod: PodRecord | undefined): Resource =>
    pod === undefined || pods === undefined ? agent : pods.get(pod);
  return ({ eventName, timeUnixNanos, body, attributes, pod, context }) => {
    add({
      ...{ eventName, body, instrumentationScope },
      hrTime: hrTime(timeUnixNanos),
      hrTimeObserved: hrTimeOfMs(unixMs()),
      severityNumber: SeverityNumber.INFO,
      attributes: sdkAttributes(attributes),
      droppedAttributesCount: 0,
      spanContext: context && sampled(context),
      resource: resourceOf(pod),
    });
  };
}

function sampled({ traceId, spanId }: SpanIds) {
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}

function hrTimeOfMs(unixMs: number): HrTime {
  const seconds = Math.floor(unixMs / 1000);
  return [seconds, Math.round((unixMs - seconds * 1000) * 1e6)];
}
