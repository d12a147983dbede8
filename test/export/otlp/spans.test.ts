import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { TelemetryOptions } from "../../../src/export/otlp/telemetry-options.ts";
import { GRPC, grpcCollector } from "./grpc-collector.ts";
import { httpCollector } from "./http-collector.ts";
import {
  failedRequests,
  fastClock,
  keptLog,
  openedTelemetry,
  otlpSettings,
  podRecord,
  until,
} from "./settings.ts";

function spanTelemetry(t: TestContext, port: number, other: Partial<TelemetryOptions> = {}) {
  const clock = fastClock(100);
  const log = keptLog();
  const traces = { exporter: "otlp", otlp: otlpSettings(port) } as const;
  const telemetry = openedTelemetry(t, { traces, clock, log, ...other });
  const emit = (count: number, first = 0) => {
    for (let number = first; number < first + count; number++) {
      const span = telemetry.startSpan!({ name: `span ${number}`, startUnixNanos: 1n, pod: undefined })!;
      span.end({ unixNanos: 2n, attributes: {}, status: { code: "error", message: "gave up" } });
    }
  };
  return { telemetry, emit, clock, log };
}

test("openTelemetry() sends spans again, which the SDK's gRPC exporter does not, and waits as it is asked", async (t) => {
  const collector = await grpcCollector(t, {
    behave: (request) => {
      if (request === 0) return { code: GRPC.UNAVAILABLE, details: "memory limit", retryAfterMs: 6_500 };
      return request === 1 ? { code: GRPC.RESOURCE_EXHAUSTED, retryAfterMs: 9_000 } : "take";
    },
  });
  const { telemetry, emit, clock, log } = spanTelemetry(t, collector.port);
  emit(512);
  emit(512, 512);
  await until("all came", () => telemetry.counts().traces!.exported === 1024);
  assert.deepEqual(
    collector.received.map(({ name }) => name),
    [...Array(1024).keys()].map((number) => `span ${number}`),
  );
  assert.ok(clock.waits.some((ms) => ms >= 6_500 && ms < 8_000));
  assert.ok(clock.waits.some((ms) => ms >= 9_000 && ms <= 11_000));
  assert.match(log.said[0]!, /^Cannot export traces to .*: it answered UNAVAILABLE \(memory limit\)$/);
  assert.equal(collector.received[0]!.status, 2n);
});

test("openTelemetry() sends the spans of 10 minutes when the collector is there again", async (t) => {
  const first = await grpcCollector(t);
  await first.stop();
  const { telemetry, emit } = spanTelemetry(t, first.port);
  emit(2000);
  await until("it was tried", () => failedRequests(telemetry.counts().traces!) > 5);
  const collector = await grpcCollector(t, { port: first.port });
  await until("all came", () => telemetry.counts().traces!.exported === 2000, 60_000);
  assert.equal(collector.received.length, 2000);
});

for (const protocol of ["grpc", "http/protobuf"] as const) {
  test(`openTelemetry() counts spans that the collector rejects by ${protocol}`, async (t) => {
    const behave = () => ({ rejected: 3, message: "too many events" });
    const collector = await (protocol === "grpc"
      ? grpcCollector(t, { behave })
      : httpCollector(t, { behave }));
    const otlp = otlpSettings(collector.port, { protocol });
    const { telemetry, emit, log } = spanTelemetry(t, collector.port, {
      traces: { exporter: "otlp", otlp },
    });
    emit(10);
    await until("they are counted", () => telemetry.counts().traces!.exported === 7);
    assert.equal(telemetry.counts().traces!.dropped.rejected, 3);
    assert.match(log.said.join("\n"), /rejected a part of the traces: too many events/);
  });

  test(`openTelemetry() puts spans and records by ${protocol} under the pod's resource in resource mode pod`, async (t) => {
    const collector = await (protocol === "grpc" ? grpcCollector(t) : httpCollector(t));
    const otlp = otlpSettings(collector.port, { protocol });
    const exporting = { exporter: "otlp", otlp } as const;
    const { telemetry } = spanTelemetry(t, collector.port, {
      traces: exporting,
      logs: exporting,
      resourceMode: "pod",
    });
    for (const pod of [podRecord(), podRecord({ uid: "uid-2", name: "web-5d4-y" }), undefined]) {
      const name = pod?.name ?? "none";
      const span = telemetry.startSpan!({ name, startUnixNanos: 1n, pod })!;
      telemetry.emitLog!({
        eventName: name,
        timeUnixNanos: 1n,
        body: "",
        attributes: {},
        pod,
        context: span,
      });
      span.end({ unixNanos: 2n, attributes: {}, status: { code: "unset" } });
    }
    await until("all came", () => collector.received.length === 6);
    for (const { name, resource } of collector.received) {
      if (name === "none") assert.equal(resource["service.name"], "tcpretrans");
      else {
        assert.deepEqual(resource, {
          "service.name": "web",
          "service.namespace": "shop",
          "service.instance.id": `shop.${name}.app`,
          "k8s.namespace.name": "shop",
          "k8s.pod.name": name,
          "k8s.pod.uid": name === "web-5d4-x" ? "uid-1" : "uid-2",
          "k8s.container.name": "app",
          "k8s.deployment.name": "web",
          "k8s.node.name": "node-1",
          "k8s.cluster.name": "cluster-1",
        });
      }
    }
  });
}

test("openTelemetry() begins as many spans as are sampled, and gives the others no ids", async (t) => {
  const collector = await grpcCollector(t);
  const traces = { exporter: "otlp", otlp: otlpSettings(collector.port) } as const;
  const start = { name: "span", startUnixNanos: 1n, pod: undefined };
  const none = openedTelemetry(t, { traces, sampleRatio: 0 });
  assert.equal(none.startSpan!(start), undefined);
  await none.close({ queueMs: 1000, metricsMs: 1000 });
  const half = openedTelemetry(t, { traces, sampleRatio: 0.5 });
  const begun = Array.from({ length: 400 }, () => half.startSpan!(start)).filter(
    (span) => span !== undefined,
  );
  assert.ok(begun.length > 100 && begun.length < 300, `${begun.length} of 400`);
});
