import { deserialize, serialize } from "node:v8";
import type { Attributes, SpanContext } from "@opentelemetry/api";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";

/** An ended span without functions and classes, so that it can be packed; equal resources are one object. */
export interface PlainSpan extends Omit<ReadableSpan, "spanContext" | "resource"> {
  readonly context: SpanContext;
  readonly resourceAttributes: Attributes;
}

/** Takes out of a span what is exported, under the resource that is given. */
export function plainSpan(span: ReadableSpan, resourceAttributes: Attributes): PlainSpan {
  const { name, kind, startTime, endTime, duration, ended, status, attributes, links, events } = span;
  const { instrumentationScope, droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span;
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    ...{ name, kind, startTime, endTime, duration, ended, status, attributes, links, events },
    ...{ instrumentationScope, droppedAttributesCount, droppedEventsCount, droppedLinksCount },
    context: { traceId, spanId, traceFlags },
    resourceAttributes,
  };
}

/** The spans as the SDK's serializers and exporters take them: they group by resources that are the same object. */
export function readableSpans(spans: readonly PlainSpan[]): ReadableSpan[] {
  const resources = new Map<Attributes, Resource>();
  return spans.map(({ context, resourceAttributes, ...span }) => {
    const resource = resources.get(resourceAttributes) ?? resourceFromAttributes(resourceAttributes);
    resources.set(resourceAttributes, resource);
    return { ...span, spanContext: () => context, resource };
  });
}

/** Packs spans for the SDK's gRPC exporter, which takes no bytes: what is one object is so again when unpacked. */
export function packSpans(spans: readonly PlainSpan[]): Uint8Array {
  return serialize(spans);
}

export function unpackSpans(packed: Uint8Array): readonly PlainSpan[] {
  return deserialize(packed);
}
