import type { AttributeLimits, BatchSettings, Config, Exporter } from "./config.ts";
import { milliseconds, timeoutMs } from "./durations.ts";
import { joinTargets } from "./otlp-targets.ts";
import type { Settings } from "./schema.ts";

/** Joins the settings that say something together: what is left open gets what follows from the others. */
export function deriveConfig(settings: Settings): Config {
  const { logs, metrics, traces, otlp, queue, resource } = settings;
  const { exporter: metricsExporter, intervalSeconds, exportTimeoutSeconds, ...metricsRest } = metrics;
  const { "service.name": serviceName, "k8s.cluster.name": clusterName, ...attributes } = resource.attributes;
  const exporterOf = (signal: "logs" | "metrics", given: Exporter | undefined): Exporter =>
    given ?? ((otlp[signal].endpoint ?? otlp.endpoint) === undefined ? "none" : "otlp");
  const exportTimeoutMs = timeoutMs(exportTimeoutSeconds);
  return freeze({
    ...settings,
    metrics: {
      ...metricsRest,
      exporter: exporterOf("metrics", metricsExporter),
      intervalMs: milliseconds(intervalSeconds),
      exportTimeoutMs,
    },
    logs: {
      ...logs,
      exporter: exporterOf("logs", logs.exporter),
      batch: batchOf(logs.batch, queue.maxRecords),
      limits: limitsOf(logs.limits),
    },
    traces: {
      ...traces,
      batch: batchOf(traces.batch, queue.maxRecords),
      limits: {
        ...limitsOf(traces.limits),
        eventAttributeCount: traces.limits.eventAttributeCount,
      },
    },
    otlp: joinTargets(otlp, {
      logs: timeoutMs(logs.batch.exportTimeoutSeconds),
      metrics: exportTimeoutMs,
      traces: timeoutMs(traces.batch.exportTimeoutSeconds),
    }),
    resource: {
      mode: resource.mode,
      serviceName: resource.serviceName ?? serviceName ?? "tcpretrans",
      clusterName: resource.clusterName ?? clusterName,
      attributes,
    },
  });
}

function batchOf(batch: Settings["logs"]["batch"], maxRecords: number): BatchSettings {
  const queueRecords = batch.queueRecords ?? maxRecords;
  return {
    delayMs: milliseconds(batch.delaySeconds),
    maxRecords: Math.min(batch.maxRecords, queueRecords),
    queueRecords,
  };
}

function limitsOf({ attributeCount, attributeLength }: Settings["logs"]["limits"]): AttributeLimits {
  return { attributeCount, attributeLength };
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const inner of Object.values(value)) freeze(inner);
  return Object.freeze(value);
}
