import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { OwnLog } from "../agent/own-log.ts";
import type { Config, OtlpTarget } from "../config/config.ts";
import type { PodRecord } from "../event/cluster.ts";
import type { EmitLog } from "../export/log-entry.ts";
import type { MetricSource } from "../export/metric-family.ts";
import type { StartSpan } from "../export/open-span.ts";
import type { ExportCounts } from "../export/otlp/export-counts.ts";
import type { OtlpSettings, SignalExport } from "../export/otlp/otlp-settings.ts";
import type { BatchSettings } from "../export/otlp/signal-route.ts";
import type { Telemetry } from "../export/otlp/telemetry.ts";
import type { MetricExportCounts } from "../export/otlp-metric-exporter.ts";

/** How signals leave the process; what is undefined goes nowhere. */
export interface AgentExports {
  readonly emitLog: EmitLog | undefined;
  readonly startSpan: StartSpan | undefined;
  logs(): ExportCounts | undefined;
  traces(): ExportCounts | undefined;
  metrics(): MetricExportCounts | undefined;
  /** Sends what waits within this time, metrics last, and counts the rest. */
  close(graceMs: number): Promise<void>;
  /** Says how much was not sent, when nobody waits any more. */
  tellLost(): void;
}

export interface ExportsWanted {
  readonly config: Config;
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: OwnLog;
  readonly metrics: MetricSource;
  /** A pod of this node by its uid. */
  readonly podOf: (uid: string) => PodRecord | undefined;
}

/** Whether the SDK measures itself is no setting of ours. */
const OF_THE_SDK = "OTEL_NODE_EXPERIMENTAL_SDK_METRICS";
/** Metrics are the last to go, and small. */
const METRICS_MS = 3_000;

/** Nothing leaves. */
export const NO_EXPORTS: AgentExports = {
  emitLog: undefined,
  startSpan: undefined,
  logs: () => undefined,
  traces: () => undefined,
  metrics: () => undefined,
  close: async () => {},
  tellLost: () => {},
};

/** Starts what leaves the process; loads nothing of OpenTelemetry's where nothing does. */
export async function openExports(wanted: ExportsWanted): Promise<AgentExports> {
  const { logs, metrics, traces } = wanted.config;
  if ([logs, metrics, traces].every(({ exporter }) => exporter === "none")) return NO_EXPORTS;
  const [{ openTelemetry }, { listenToSdk }, { openMetricReader }] = await Promise.all([
    import("../export/otlp/telemetry.ts"),
    import("../export/otlp/sdk-diag.ts"),
    import("./agent-metric-reader.ts"),
  ]);
  const { config, version, env, log } = wanted;
  // The SDK reads the environment too; what is in it is in the configuration already.
  for (const name of Object.keys(env)) if (name.startsWith("OTEL_") && name !== OF_THE_SDK) delete env[name];
  const sdk = listenToSdk(log.as("opentelemetry"), config.log.level);
  const reader = openMetricReader(wanted, { sdk, userAgent: `tcpretrans/${version}` });
  const telemetry = openTelemetry({
    identity: identityOf(wanted),
    resourceMode: config.resource.mode,
    logs: signalExport(logs.exporter, config.otlp.logs),
    logBatch: batchOf(logs.batch),
    logRecordLimits: limitsOf(logs.limits),
    traces: signalExport(traces.exporter, config.otlp.traces),
    traceBatch: batchOf(traces.batch),
    spanLimits: {
      ...limitsOf(traces.limits),
      eventCountLimit: traces.maxEventsPerSpan,
      attributePerEventCountLimit: traces.limits.eventAttributeCount,
    },
    sampleRatio: traces.sampleRatio,
    metricReaders: reader === undefined ? [] : [reader.reader],
    queue: config.queue,
    sdk,
    log: log.as("export"),
    clock: {
      monotonicMs: () => performance.now(),
      sleep: (ms, signal) => sleep(ms, undefined, { signal, ref: false }).catch(() => {}),
      random: Math.random,
    },
    unixMs: Date.now,
  });
  return {
    emitLog: telemetry.emitLog,
    startSpan: telemetry.startSpan,
    logs: () => telemetry.counts().logs,
    traces: () => telemetry.counts().traces,
    metrics: () => reader?.counts,
    close: (graceMs) => {
      const metricsMs = Math.min(METRICS_MS, graceMs / 2);
      return telemetry.close({ queueMs: graceMs - metricsMs, metricsMs });
    },
    tellLost: () => tellLost(telemetry.counts(), log.as("export")),
  };
}

/** What was not sent in time is nowhere else; in haste it still waits. */
function tellLost({ logs, traces }: ReturnType<Telemetry["counts"]>, { warn }: OwnLog): void {
  for (const [what, counts] of [
    ["log records", logs],
    ["spans", traces],
  ] as const) {
    if (counts === undefined) continue;
    const lost = counts.dropped.shutdown + counts.waitingRecords;
    if (lost > 0) warn(`${lost} ${what} could not be sent before the end, and are lost`);
  }
}

/** The configuration's endpoints are whole. */
export function otlpSettings(target: OtlpTarget): OtlpSettings {
  return { ...target, isSignalEndpoint: true };
}

function batchOf({ maxRecords, delayMs, queueRecords }: Config["logs"]["batch"]): BatchSettings {
  return { maxItems: maxRecords, delayMs, queueRecords };
}

function limitsOf({ attributeCount, attributeLength }: Config["logs"]["limits"]) {
  return {
    attributeCountLimit: attributeCount,
    ...(attributeLength === undefined ? {} : { attributeValueLengthLimit: attributeLength }),
  };
}

function signalExport(exporter: SignalExport["exporter"], target: OtlpTarget): SignalExport {
  return exporter === "otlp" ? { exporter, otlp: otlpSettings(target) } : { exporter };
}

/** Who exports: in a pod by its fields, which the pod's manifest gives as variables. */
export function identityOf({ config, version, env }: Pick<ExportsWanted, "config" | "version" | "env">) {
  const { serviceName, clusterName, attributes } = config.resource;
  const { POD_NAMESPACE: namespace, POD_NAME: pod, CONTAINER_NAME: container } = env;
  const self = namespace && pod ? { namespace, pod, container: container || undefined } : undefined;
  const hostName = hostname();
  return {
    serviceName,
    version,
    self,
    hostName,
    nodeName: config.kubernetes.nodeName,
    clusterName,
    attributes,
  };
}
