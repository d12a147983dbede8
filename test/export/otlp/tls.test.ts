import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { otlpMetricExporter } from "../../../src/export/otlp/metric-exporter.ts";
import type { OtlpSettings } from "../../../src/export/otlp/otlp-settings.ts";
import { listenToSdk } from "../../../src/export/otlp/sdk-diag.ts";
import { grpcCollector } from "./grpc-collector.ts";
import { httpCollector } from "./http-collector.ts";
import { oneGauge } from "./one-gauge.ts";
import {
  failedRequests,
  fastClock,
  keptLog,
  openedTelemetry,
  otlpSettings,
  serverTls,
  until,
} from "./settings.ts";

const FIXTURES = serverTls().directory;

type Protocol = OtlpSettings["protocol"];

/** A directory as the kubelet mounts a Secret: files are links through `..data`, which is swapped as a whole. */
function mountedSecret(t: TestContext, files: Readonly<Record<string, string>>) {
  const directory = mkdtempSync(join(tmpdir(), "secret-"));
  let generation = 0;
  const put = (content: Readonly<Record<string, string>>) => {
    const name = `..2026_${generation++}`;
    mkdirSync(join(directory, name));
    for (const [to, from] of Object.entries(content))
      copyFileSync(join(FIXTURES, from), join(directory, name, to));
    symlinkSync(name, join(directory, "..data_tmp"));
    renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
  };
  put(files);
  for (const name of Object.keys(files)) symlinkSync(join("..data", name), join(directory, name));
  t.after(() => rmSync(directory, { recursive: true }));
  return { put, path: (name: string) => join(directory, name) };
}

/** All three signals over TLS. */
function rig(t: TestContext, port: number, settings: Partial<OtlpSettings>) {
  const log = keptLog();
  const sdk = listenToSdk(log, "none");
  const otlp = otlpSettings(port, { timeoutMs: 1000, endpoint: `https://localhost:${port}`, ...settings });
  const exporter = otlpMetricExporter(otlp, { userAgent: "test", sdk, rejected: () => undefined });
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 3_600_000,
    metricProducers: [oneGauge],
  });
  const exporting = { exporter: "otlp", otlp } as const;
  const telemetry = openedTelemetry(t, {
    logs: exporting,
    traces: exporting,
    metricReaders: [reader],
    sdk,
    log,
    clock: fastClock(100),
  });
  const emit = (name: string) => {
    const span = telemetry.startSpan!({ name, startUnixNanos: 1n, pod: undefined })!;
    telemetry.emitLog!({
      eventName: name,
      timeUnixNanos: 1n,
      body: "",
      attributes: {},
      pod: undefined,
      context: span,
    });
    span.end({ unixNanos: 2n, attributes: {}, status: { code: "ok" } });
    void reader.forceFlush();
  };
  return { emit, log, telemetry };
}

async function collectorFor(t: TestContext, protocol: Protocol, asksForClient: boolean) {
  const tls = serverTls(asksForClient);
  return await (protocol === "grpc" ? grpcCollector(t, { tls }) : httpCollector(t, { tls }));
}

for (const protocol of ["grpc", "http/protobuf"] as const) {
  for (const host of ["localhost", "127.0.0.1"]) {
    test(`openTelemetry() exports all signals over TLS by ${protocol} to ${host}`, async (t) => {
      const collector = await collectorFor(t, protocol, false);
      const endpoint = `https://${host}:${collector.port}`;
      const { emit } = rig(t, collector.port, {
        protocol,
        endpoint,
        certificate: join(FIXTURES, "authority.crt"),
      });
      emit("a");
      await until("all came", () => collector.received.length === 2 && collector.metrics.length === 1);
    });
  }

  test(`openTelemetry() says by ${protocol} that the collector's authority is not known, and exports once its file is right`, async (t) => {
    const collector = await collectorFor(t, protocol, false);
    const secret = mountedSecret(t, { "ca.crt": "other-authority.crt" });
    const { emit, log } = rig(t, collector.port, { protocol, certificate: secret.path("ca.crt") });
    emit("a");
    const lineOf = (signal: string) =>
      log.said.find((said) =>
        said.startsWith(`Cannot export ${signal} to https://localhost:${collector.port}`),
      );
    const signals = ["logs", "traces"];
    await until("it was said", () => signals.every((signal) => lineOf(signal) !== undefined));
    for (const signal of signals) {
      assert.match(
        lineOf(signal) ?? "",
        /: its certificate comes from an authority that is not known here; give the authority's certificate as otlp\.certificate$/,
      );
    }
    secret.put({ "ca.crt": "authority.crt" });
    await until("all came", () => collector.received.length === 2);
    emit("b");
    await until("metrics came too", () => collector.metrics.length === 1);
  });

  test(`openTelemetry() shows a client certificate by ${protocol}, and the renewed one once the Secret is changed`, async (t) => {
    const collector = await collectorFor(t, protocol, true);
    const secret = mountedSecret(t, {
      "ca.crt": "authority.crt",
      "tls.crt": "other-client.crt",
      "tls.key": "other-client.key",
    });
    const files = {
      certificate: secret.path("ca.crt"),
      clientCertificate: secret.path("tls.crt"),
      clientKey: secret.path("tls.key"),
    };
    const { emit, log, telemetry } = rig(t, collector.port, { protocol, ...files });
    emit("a");
    await until(
      "it failed",
      () => failedRequests(telemetry.counts().logs!) > 1 && failedRequests(telemetry.counts().traces!) > 1,
    );
    assert.match(
      log.said[0]!,
      /it does not take our client certificate; give|the connection was broken off; look .* otlp\.clientCertificate/,
    );
    secret.put({ "ca.crt": "authority.crt", "tls.crt": "client.crt", "tls.key": "client.key" });
    await until("all came", () => collector.received.length === 2);
    assert.deepEqual(new Set(collector.clients), new Set(["client"]));
    const before = collector.clients.length;
    // A connection that stands is not kept with what is renewed.
    secret.put({
      "ca.crt": "authority.crt",
      "tls.crt": "renewed-client.crt",
      "tls.key": "renewed-client.key",
    });
    emit("b");
    await until("all came again", () => collector.received.length === 4 && collector.metrics.length > 0);
    assert.deepEqual(new Set(collector.clients.slice(before)), new Set(["renewed-client"]));
  });
}
