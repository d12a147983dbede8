// Exports with everything of the SDK's own log on; run by telemetry.test.ts, which wants nothing printed.
import { listenToSdk } from "../../../src/export/otlp/sdk-diag.ts";
import { openTelemetry } from "../../../src/export/otlp/telemetry.ts";
import { keptLog, otlpSettings, telemetryOptions } from "./settings.ts";

const log = keptLog();
const sdk = listenToSdk(log, "debug");
const exporting = { exporter: "otlp", otlp: otlpSettings(Number(process.argv[2])) } as const;
const telemetry = openTelemetry(telemetryOptions({ logs: exporting, traces: exporting, sdk, log }));
telemetry.emitLog?.({
  eventName: "a record",
  timeUnixNanos: 1n,
  body: "",
  attributes: {},
  pod: undefined,
  context: undefined,
});
const span = telemetry.startSpan?.({ name: "a span", startUnixNanos: 1n, pod: undefined });
span?.end({ unixNanos: 2n, attributes: {}, status: { code: "unset" } });
await telemetry.close({ queueMs: 5000, metricsMs: 100 });
process.exitCode = log.said.some((line) => line.startsWith("OpenTelemetry SDK: ")) ? 0 : 1;
