import { type Attributes, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from "@opentelemetry/api";
import type { SpanEnd, StartSpan } from "../open-span.ts";
import { hrTime } from "./hr-time.ts";
import { PerPod } from "./per-pod.ts";
import { sdkAttributes } from "./sdk-attributes.ts";
import type { PodResources, Scope } from "./signal-output.ts";

const STATUS = { unset: SpanStatusCode.UNSET, ok: SpanStatusCode.OK, error: SpanStatusCode.ERROR } as const;

export interface SpanStarterOptions {
  readonly scope: Scope;
  readonly podResources: PodResources;
  /** Resources of spans that do not go under the agent's. */
  readonly resources: WeakMap<object, Attributes>;
}

/** Begins spans with the SDK's tracer, which must have been started. */
export function spanStarter({ scope, podResources, resources }: SpanStarterOptions): StartSpan {
  const tracer = trace.getTracer(...scope);
  const pods = podResources && new PerPod(podResources);
  return ({ name, startUnixNanos, pod }) => {
    const span = tracer.startSpan(name, { startTime: hrTime(startUnixNanos), root: true }, ROOT_CONTEXT);
    if (!span.isRecording()) return undefined;
    if (pod !== undefined && pods !== undefined) resources.set(span, pods.get(pod));
    const { traceId, spanId } = span.spanContext();
    return {
      traceId,
      spanId,
      event: (event, unixNanos, attributes) => {
        span.addEvent(event, sdkAttributes(attributes), hrTime(unixNanos));
      },
      end: (end) => endSpan(span, end),
    };
  };
}

function endSpan(span: Span, { unixNanos, attributes, status: { code, message } }: SpanEnd): void {
  span.setAttributes(sdkAttributes(attributes));
  span.setStatus({ code: STATUS[code], ...(message === undefined ? {} : { message }) });
  span.end(hrTime(unixNanos));
}
