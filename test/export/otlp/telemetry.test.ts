import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { LogEntry } from "../../../src/export/log-entry.ts";
import type { Telemetry } from "../../../src/export/otlp/telemetry.ts";
import { grpcCollector } from "./grpc-collector.ts";
import { httpCollector } from "./http-collector.ts";
import { openedTelemetry, otlpSettings, until } from "./settings.ts";

const ENTRY: LogEntry = {
  eventName: "tcp.retransmit",
  timeUnixNanos: 1_700_000_000_123_456_789n,
  body: "10.0.0.1:1 R> 10.0.0.2:2",
  attributes: { "source.port": 80, "tcp.rto": 0.25, "a.list": ["x", "y"], "a.flag": true },
  pod: undefined,
  context: undefined,
};

for (const protocol of ["grpc", "http/protobuf"] as const) {
  test(`openTelemetry() sends records and spans as they are by ${protocol}`, async (t) => {
    const collector = await (protocol === "grpc" ? grpcCollector(t) : httpCollector(t));
    const otlp = otlpSettings(collector.port, {
      protocol,
      headers: { "x-token": "secret", "x-key-bin": "AQID" },
    });
    const telemetry = openedTelemetry(t, {
      logs: { exporter: "otlp", otlp },
      traces: { exporter: "otlp", otlp },
    });
    const span = telemetry.startSpan!({ name: "tcp.loss_recovery", startUnixNanos: 5n, pod: undefined })!;
    span.event("tcp.retransmit", 6n, { "tcp.segments": 2 });
    telemetry.emitLog!({ ...ENTRY, context: span });
    span.end({ unixNanos: 2_000_000_007n, attributes: { ends: "well" }, status: { code: "ok" } });
    await until("both came", () => collector.received.length === 2);

    const record = collector.received.find(({ name }) => name === "tcp.retransmit")!;
    const { traceId, spanId } = span;
    assert.deepEqual(
      { ...record, resource: undefined },
      {
        resource: undefined,
        scope: "tcpretrans",
        name: "tcp.retransmit",
        times: [ENTRY.timeUnixNanos],
        body: ENTRY.body,
        severity: 9n,
        attributes: ENTRY.attributes,
        ...{ traceId, spanId },
        ...{ status: undefined, events: [] },
      },
    );
    const got = collector.received.find(({ name }) => name === "tcp.loss_recovery")!;
    assert.deepEqual(
      { ...got, resource: undefined },
      {
        resource: undefined,
        scope: "tcpretrans",
        name: "tcp.loss_recovery",
        times: [5n, 2_000_000_007n],
        attributes: { ends: "well" },
        events: ["tcp.retransmit"],
        status: 1n,
        ...{ traceId, spanId },
        ...{ body: undefined, severity: undefined },
      },
    );
    for (const { resource } of collector.received) {
      assert.deepEqual(resource, {
        "service.name": "tcpretrans",
        "service.version": "1.2.3",
        "service.instance.id": "host-1",
        "host.name": "node-1",
        "k8s.node.name": "node-1",
        "k8s.cluster.name": "cluster-1",
        "telemetry.sdk.language": "nodejs",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "3.1.0",
      });
    }
    assert.equal(collector.headers["x-token"], "secret");
    assert.deepEqual(collector.headers["x-key-bin"], protocol === "grpc" ? Buffer.from([1, 2, 3]) : "AQID");
    const isCounted = ({ logs, traces } = telemetry.counts()) =>
      logs?.exported === 1 && traces?.exported === 1;
    await until("both are counted", isCounted);
  });
}

test("openTelemetry() sends over a Unix socket by grpc", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "otlp-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const address = `unix:${directory}/otlp.sock`;
  const collector = await grpcCollector(t, { address });
  const exporting = { exporter: "otlp", otlp: otlpSettings(1, { endpoint: address }) } as const;
  const telemetry = openedTelemetry(t, { logs: exporting, traces: exporting });
  emitBoth(telemetry);
  await until("both came", () => collector.received.length === 2);
});

test("openTelemetry() prints with the console exporter, and has nothing to emit with where nothing goes out", async (t) => {
  const printed: Readonly<Record<string, unknown>>[] = [];
  t.mock.method(console, "dir", (what: Readonly<Record<string, unknown>>) => printed.push(what));
  const console_ = { exporter: "console" } as const;
  const telemetry = openedTelemetry(t, { logs: console_, traces: console_ });
  emitBoth(telemetry);
  await until("both are printed", () => printed.length === 2);
  assert.deepEqual(
    printed.map(({ name, eventName }) => name ?? eventName),
    ["tcp.retransmit", "a span"],
  );
  await telemetry.close({ queueMs: 10, metricsMs: 10 });
  const none = openedTelemetry(t, {});
  assert.deepEqual([none.emitLog, none.startSpan], [undefined, undefined]);
  assert.deepEqual(none.counts(), { logs: undefined, traces: undefined });
});

test("openTelemetry() goes by its settings and not by OTEL_EXPORTER_OTLP_*, and prints nothing at OTEL_LOG_LEVEL=debug", async (t) => {
  const collector = await grpcCollector(t);
  const env = {
    ...process.env,
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_EXPORTER_OTLP_TIMEOUT: "1",
    OTEL_TRACES_EXPORTER: "none",
    OTEL_LOG_LEVEL: "debug",
  };
  const program = join(import.meta.dirname, "print-nothing.ts");
  const args = ["--disable-warning=ExperimentalWarning", program, `${collector.port}`];
  const printed = await promisify(execFile)(process.execPath, args, { env });
  assert.deepEqual(printed, { stdout: "", stderr: "" });
  assert.deepEqual(collector.received.map(({ name }) => name).sort(), ["a record", "a span"]);
});

test("openTelemetry() makes no span where none is sampled, and its records go on", async (t) => {
  const collector = await grpcCollector(t);
  const exporting = { exporter: "otlp", otlp: otlpSettings(collector.port) } as const;
  const telemetry = openedTelemetry(t, { logs: exporting, traces: exporting, sampleRatio: 0 });
  emitBoth(telemetry);
  await telemetry.close({ queueMs: 5000, metricsMs: 10 });
  assert.deepEqual(
    collector.received.map(({ name }) => name),
    ["tcp.retransmit"],
  );
  assert.equal(telemetry.counts().traces?.exported, 0);
});

function emitBoth({ emitLog, startSpan }: Telemetry): void {
  emitLog?.(ENTRY);
  const span = startSpan?.({ name: "a span", startUnixNanos: 1n, pod: undefined });
  span?.end({ unixNanos: 2n, attributes: {}, status: { code: "unset" } });
}
