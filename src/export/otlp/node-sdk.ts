import { type Attributes, type ContextManager, ROOT_CONTEXT } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { LogRecordProcessor } from "@opentelemetry/sdk-logs";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { type SpanLimits, type SpanProcessor, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace";

export interface NodeSdkParts {
  readonly resource: Attributes;
  readonly metricReaders: readonly IMetricReader[];
  readonly logRecordProcessors: readonly LogRecordProcessor[];
  readonly spanProcessors: readonly SpanProcessor[];
  readonly spanLimits: SpanLimits;
  /** Share of the root spans that are made, from 0 to 1. */
  readonly sampleRatio: number;
}

/** Starts OpenTelemetry's NodeSDK with these parts and none of its own. */
export function startNodeSdk(parts: NodeSdkParts): NodeSDK {
  const { resource, metricReaders, logRecordProcessors, spanProcessors } = parts;
  const { spanLimits, sampleRatio } = parts;
  const make = () =>
    new NodeSDK({
      resource: resourceFromAttributes(resource),
      // No detectors: they would export the command line and its owner, and make an instance id up at each start.
      autoDetectResources: false,
      instrumentations: [],
      contextManager: NO_CONTEXT,
      textMapPropagator: null,
      metricReaders: [...metricReaders],
      logRecordProcessors: [...logRecordProcessors],
      spanProcessors: [...spanProcessors],
      spanLimits,
      sampler: new TraceIdRatioBasedSampler(sampleRatio),
    });
  const sdk = withoutVariable("OTEL_LOG_LEVEL", make);
  sdk.start();
  return sdk;
}

/** Given OTEL_LOG_LEVEL, NodeSDK's constructor listens to the SDK in the place of ours, and prints between our lines. */
function withoutVariable<T>(name: string, make: () => T): T {
  const value = process.env[name];
  if (value === undefined) return make();
  delete process.env[name];
  try {
    return make();
  } finally {
    process.env[name] = value;
  }
}

/** Nothing here follows a context through callbacks: what that costs is left out. */
const NO_CONTEXT: ContextManager = {
  active: () => ROOT_CONTEXT,
  with: (_context, call, self, ...args) => call.apply(self, args),
  bind: (_context, target) => target,
  enable: () => NO_CONTEXT,
  disable: () => NO_CONTEXT,
};
