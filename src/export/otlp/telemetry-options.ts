import type { LogRecordLimits } from "@opentelemetry/sdk-logs";
import type { IMetricReader } from "@opentelemetry/sdk-metrics";
import type { SpanLimits } from "@opentelemetry/sdk-trace";
import type { AgentIdentity } from "./agent-resource.ts";
import type { ExportClock, ExportLog } from "./export-clock.ts";
import type { SignalExport } from "./otlp-settings.ts";
import type { SdkDiag } from "./sdk-diag.ts";
import type { BatchSettings } from "./signal-route.ts";

export interface TelemetryOptions {
  readonly identity: AgentIdentity;
  /** `pod`: the local pod is the resource of its records and spans. */
  readonly resourceMode: "agent" | "pod";
  readonly logs: SignalExport;
  readonly logBatch: BatchSettings;
  readonly logRecordLimits: LogRecordLimits;
  readonly traces: SignalExport;
  readonly traceBatch: BatchSettings;
  readonly spanLimits: SpanLimits;
  /** Share of the root spans that are made, from 0 to 1. */
  readonly sampleRatio: number;
  readonly metricReaders: readonly IMetricReader[];
  /** Bounds of what waits, records and spans together. */
  readonly queue: { readonly maxBytes: number; readonly maxRecords: number };
  readonly sdk: SdkDiag;
  readonly log: ExportLog;
  readonly clock: ExportClock;
  readonly unixMs: () => number;
}
