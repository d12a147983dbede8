import { context, logs, metrics, trace } from "@opentelemetry/api";
import { defaultResource } from "@opentelemetry/resources";
import type { NodeSDK } from "@opentelemetry/sdk-node";
import type { EmitLog } from "../log-entry.ts";
import type { StartSpan } from "../open-span.ts";
import { agentResource } from "./agent-resource.ts";
import type { ExportCounts } from "./export-counts.ts";
import { openLogs } from "./log-output.ts";
import { startNodeSdk } from "./node-sdk.ts";
import { Outbox } from "./outbox.ts";
import { podResource } from "./pod-resource.ts";
import type { SharedParts } from "./signal-output.ts";
import type { RouteEnd } from "./signal-route.ts";
import { openSpans } from "./span-output.ts";
import type { TelemetryOptions } from "./telemetry-options.ts";

/** Of the instrumentation scope, and to servers. */
const NAME = "tcpretrans";

/** How signals leave the process. */
export interface Telemetry {
  /** Undefined where log records go nowhere. */
  readonly emitLog: EmitLog | undefined;
  /** Undefined where spans go nowhere. */
  readonly startSpan: StartSpan | undefined;
  /** Of signals that go over OTLP. */
  counts(): SignalCounts;
  /** Sends what waits within `queueMs` and counts the rest as dropped; then metrics go out a last time. */
  close(within: { readonly queueMs: number; readonly metricsMs: number }): Promise<void>;
}

export interface SignalCounts {
  readonly logs: ExportCounts | undefined;
  readonly traces: ExportCounts | undefined;
}

/** Starts the SDK: what is emitted afterwards leaves the process. One at a time, since the SDK registers itself globally. */
export function openTelemetry(options: TelemetryOptions): Telemetry {
  const shared = sharedParts(options);
  const logOutput = openLogs(options, shared);
  const spanOutput = openSpans(options, shared);
  const sdk = startNodeSdk({
    resource: shared.resource,
    metricReaders: options.metricReaders,
    logRecordProcessors: logOutput === undefined ? [] : [logOutput.processor],
    spanProcessors: spanOutput === undefined ? [] : [spanOutput.processor],
    spanLimits: options.spanLimits,
    sampleRatio: options.sampleRatio,
  });
  let closed: Promise<void> | undefined;
  return {
    emitLog: logOutput?.start(),
    startSpan: spanOutput?.start(),
    counts: () => ({ logs: logOutput?.route?.counts(), traces: spanOutput?.route?.counts() }),
    close: async (within) => {
      const routes = [logOutput?.route, spanOutput?.route];
      closed ??= closeRoutes(routes, shared.outbox, within.queueMs).then(() =>
        shutDown(sdk, options, within.metricsMs),
      );
      await closed;
    },
  };
}

function sharedParts(options: TelemetryOptions): SharedParts {
  const { identity, log, clock, queue, resourceMode } = options;
  const { version, attributes, clusterName } = identity;
  return {
    ...options,
    outbox: new Outbox({ ...queue, clock, log }),
    userAgent: `${NAME}/${version}`,
    scope: [NAME, version],
    resource: { ...defaultResource().attributes, ...agentResource(identity) },
    podResources: resourceMode === "pod" ? (pod) => podResource(pod, { clusterName, attributes }) : undefined,
  };
}

async function closeRoutes(
  routes: readonly (RouteEnd | undefined)[],
  outbox: Outbox,
  withinMs: number,
): Promise<void> {
  for (const route of routes) route?.flush();
  await outbox.close(withinMs);
  for (const route of routes) route?.close();
}

/** Metric readers collect and export once more as they shut down. */
async function shutDown(sdk: NodeSDK, { clock, log }: TelemetryOptions, withinMs: number): Promise<void> {
  const shutdown = sdk.shutdown().catch((error: unknown) => log.warn(`Cannot end the exports: ${error}`));
  const enough = new AbortController();
  await Promise.race([shutdown, clock.sleep(withinMs, enough.signal)]);
  enough.abort();
  for (const api of [logs, trace, metrics, context]) api.disable();
}
