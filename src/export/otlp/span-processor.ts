import { type Attributes, TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { SignalRoute } from "./signal-route.ts";
import { type PlainSpan, plainSpan } from "./span-parcel.ts";

/** Hands ended spans that are sampled to their way out, each under its resource. */
export function spanProcessor(
  route: SignalRoute<PlainSpan>,
  resourceOf: (span: ReadableSpan) => Attributes,
): SpanProcessor {
  const flush = async () => route.flush();
  return {
    onStart: () => undefined,
    onEnd: (span) => {
      const isSampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
      if (isSampled) route.add(plainSpan(span, resourceOf(span)));
    },
    forceFlush: flush,
    shutdown: flush,
  };
}
