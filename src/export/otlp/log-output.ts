import {
  ConsoleLogRecordExporter,
  type LogRecordProcessor,
  SimpleLogRecordProcessor,
} from "@opentelemetry/sdk-logs";
import type { EmitLog } from "../log-entry.ts";
import { directLogEmitter, isWithinLimits } from "./direct-log.ts";
import { logEmitter } from "./emit-log.ts";
import { logProcessor } from "./log-processor.ts";
import type { SharedParts, SignalOutput } from "./signal-output.ts";
import { logRoute } from "./signal-route.ts";
import type { TelemetryOptions } from "./telemetry-options.ts";

/** Log records' way out; undefined where they go nowhere. */
export function openLogs(
  { logs, logBatch, logRecordLimits: limits }: TelemetryOptions,
  shared: SharedParts,
): SignalOutput<LogRecordProcessor, EmitLog> | undefined {
  if (logs.exporter === "none") return undefined;
  const route = logs.exporter === "otlp" ? logRoute(logs.otlp, { ...shared, batch: logBatch }) : undefined;
  const processor =
    route === undefined
      ? new SimpleLogRecordProcessor({ exporter: new ConsoleLogRecordExporter() })
      : logProcessor(route);
  const start = () =>
    route !== undefined && isWithinLimits(limits)
      ? directLogEmitter({ ...shared, add: route.add })
      : logEmitter({ ...shared, processor, limits });
  return { processor, route, start };
}
