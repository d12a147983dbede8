import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEntry } from "../../../src/export/log-entry.ts";
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
    const otlp = otlpSettings(collector.port, { protocol, headers: { "x-token": "secret" } });
    const telemetry = openedTelemetry(t, {
      logs: { exporter: "otlp", otlp },
      traces: { exporter: "otlp", otlp },
    });
    const span = telemetry.startSpan!({ name: "tcp.loss_recovery", startUnixNanos: 5n, pod: undefined });
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
    const isCounted = ({ logs, traces } = telemetry.counts()) =>
      logs?.exported === 1 && traces?.exported === 1;
    await until("both are counted", isCounted);
  });
}
