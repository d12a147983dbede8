import type { Attributes } from "@opentelemetry/api";
import { ConsoleSpanExporter, SimpleSpanProcessor, type SpanProcessor } from "@opentelemetry/sdk-trace";
import type { StartSpan } from "../open-span.ts";
import type { SharedParts, SignalOutput } from "./signal-output.ts";
import { spanRoute } from "./signal-route.ts";
import { spanProcessor } from "./span-processor.ts";
import { spanStarter } from "./start-span.ts";
import type { TelemetryOptions } from "./telemetry-options.ts";

/** Spans' way out; undefined where they go nowhere. */
export function openSpans(
  { traces, traceBatch }: TelemetryOptions,
  shared: SharedParts,
): SignalOutput<SpanProcessor, StartSpan> | undefined {
  if (traces.exporter === "none") return undefined;
  const resources = new WeakMap<object, Attributes>();
  const route =
    traces.exporter === "otlp" ? spanRoute(traces.otlp, { ...shared, batch: traceBatch }) : undefined;
  const processor =
    route === undefined
      ? new SimpleSpanProcessor({ exporter: new ConsoleSpanExporter() })
      : spanProcessor(route, (span) => resources.get(span) ?? shared.resource);
  return { processor, route, start: () => spanStarter({ ...shared, resources }) };
}
