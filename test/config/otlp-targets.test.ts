import assert from "node:assert/strict";
import { test } from "node:test";
import type { OtlpTarget } from "../../src/config/config.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";

/** Targets with every signal sent. */
function targets(
  env: Readonly<Record<string, string>>,
): Readonly<Record<"logs" | "metrics" | "traces", OtlpTarget>> {
  const all = { OTEL_LOGS_EXPORTER: "otlp", OTEL_METRICS_EXPORTER: "otlp", OTEL_TRACES_EXPORTER: "otlp" };
  const { config, problems } = resolveConfig(new Map(), { ...all, ...env });
  assert.deepEqual(problems, []);
  assert.ok(config);
  return config.otlp;
}

const HTTP = { OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" };
const E = "OTEL_EXPORTER_OTLP_ENDPOINT";

const cases = [
  { env: {}, logs: "http://localhost:4317", insecure: true },
  { env: { [E]: "https://c:4317" }, logs: "https://c:4317", insecure: false },
  {
    env: { [E]: "https://c:4317", OTEL_EXPORTER_OTLP_INSECURE: "true" },
    logs: "https://c:4317",
    insecure: false,
  },
  {
    env: { [E]: "http://c:4317", OTEL_EXPORTER_OTLP_INSECURE: "false" },
    logs: "http://c:4317",
    insecure: true,
  },
  { env: { [E]: "c:4317" }, logs: "https://c:4317", insecure: false },
  { env: { [E]: "c:4317", OTEL_EXPORTER_OTLP_INSECURE: "TRUE" }, logs: "http://c:4317", insecure: true },
  { env: { [E]: "c:4317", OTEL_EXPORTER_OTLP_LOGS_INSECURE: "true" }, logs: "http://c:4317", insecure: true },
  { env: { [E]: "[2001:db8::1]:4317" }, logs: "https://[2001:db8::1]:4317", insecure: false },
  { env: { [E]: "unix:/run/otel.sock" }, logs: "unix:/run/otel.sock", insecure: true },
  { env: HTTP, logs: "http://localhost:4318/v1/logs", insecure: true },
  { env: { ...HTTP, [E]: "https://c:4318" }, logs: "https://c:4318/v1/logs", insecure: false },
  { env: { ...HTTP, [E]: "https://c/base" }, logs: "https://c/base/v1/logs", insecure: false },
  { env: { ...HTTP, [E]: "https://c/base/" }, logs: "https://c/base/v1/logs", insecure: false },
  { env: { ...HTTP, [E]: "https://c/base?key=x" }, logs: "https://c/base/v1/logs?key=x", insecure: false },
  {
    env: { ...HTTP, [E]: "https://c/base", OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://l:4318" },
    logs: "http://l:4318/",
    insecure: true,
  },
  {
    env: { ...HTTP, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "https://l/my/logs/" },
    logs: "https://l/my/logs/",
    insecure: false,
  },
  {
    env: { [E]: "http://c:4318", OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: "http/protobuf" },
    logs: "http://c:4318/v1/logs",
    insecure: true,
  },
];
for (const { env, logs, insecure } of cases) {
  test(`joinTargets() sends logs to ${logs} for ${JSON.stringify(env)}`, () => {
    const target = targets(env).logs;
    assert.deepEqual([target.endpoint, target.insecure], [logs, insecure]);
  });
}

test("joinTargets() gives each signal its own path over http/protobuf", () => {
  const { logs, metrics, traces } = targets({ ...HTTP, [E]: "http://c:4318" });
  assert.deepEqual(
    [logs, metrics, traces].map(({ endpoint }) => endpoint),
    ["http://c:4318/v1/logs", "http://c:4318/v1/metrics", "http://c:4318/v1/traces"],
  );
});

test("joinTargets() lets a signal's own keys win, wherever they were set", () => {
  const { config } = resolveConfig(
    new Map([
      ["--otlp-endpoint", ["https://c:4317"]],
      ["--otlp-certificate", ["all.pem"]],
      ["--otlp-compression", ["none"]],
    ]),
    {
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://m:4317",
      OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE: "metrics.pem",
      OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "1500",
      OTEL_EXPORTER_OTLP_TIMEOUT: "2500",
    },
  );
  const pick = ({ endpoint, certificate, compression, timeoutMs }: OtlpTarget) => [
    endpoint,
    certificate,
    compression,
    timeoutMs,
  ];
  assert.ok(config);
  assert.deepEqual(pick(config.otlp.metrics), ["http://m:4317", "metrics.pem", "gzip", 1500]);
  assert.deepEqual(pick(config.otlp.logs), ["https://c:4317", "all.pem", "none", 2500]);
});

test("joinTargets() joins headers by their names in lower case", () => {
  const { logs, traces } = targets({
    OTEL_EXPORTER_OTLP_HEADERS: "X-Tenant=a, authorization=Basic%20eDp5",
    OTEL_EXPORTER_OTLP_LOGS_HEADERS: "x-tenant=b,",
  });
  assert.deepEqual({ ...logs.headers }, { "x-tenant": "b", authorization: "Basic eDp5" });
  assert.deepEqual({ ...traces.headers }, { "x-tenant": "a", authorization: "Basic eDp5" });
});

test("joinTargets() bounds an attempt by the batch's export timeout, and takes 0 for no end", () => {
  const env = {
    OTEL_EXPORTER_OTLP_TIMEOUT: "0",
    OTEL_BLRP_EXPORT_TIMEOUT: "4000",
    OTEL_BSP_EXPORT_TIMEOUT: "0",
  };
  const { logs, metrics, traces } = targets(env);
  assert.deepEqual([logs.timeoutMs, metrics.timeoutMs, traces.timeoutMs], [4000, 30_000, 2_147_483_647]);
});

const exporters = [
  { env: {}, sent: ["none", "none", "none"] },
  { env: { [E]: "http://c:4317" }, sent: ["otlp", "otlp", "none"] },
  { env: { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: "http://c:4317" }, sent: ["none", "otlp", "none"] },
  { env: { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://c:4317" }, sent: ["none", "none", "none"] },
  { env: { OTEL_TRACES_EXPORTER: "otlp" }, sent: ["none", "none", "otlp"] },
  { env: { [E]: "http://c:4317", OTEL_LOGS_EXPORTER: "none" }, sent: ["none", "otlp", "none"] },
  { env: { [E]: "http://c:4317", OTEL_METRICS_EXPORTER: "prometheus" }, sent: ["otlp", "none", "none"] },
  { env: { OTEL_METRICS_EXPORTER: "prometheus, otlp" }, sent: ["none", "otlp", "none"] },
  {
    env: { OTEL_LOGS_EXPORTER: "console", OTEL_TRACES_EXPORTER: "console" },
    sent: ["console", "none", "console"],
  },
  {
    env: { [E]: "http://c:4317", OTEL_TRACES_EXPORTER: "otlp", OTEL_SDK_DISABLED: "True" },
    sent: ["none", "none", "none"],
  },
  { env: { [E]: "http://c:4317", OTEL_SDK_DISABLED: "false" }, sent: ["otlp", "otlp", "none"] },
];
for (const { env, sent } of exporters) {
  test(`resolveConfig() sends logs, metrics, traces to ${sent.join(", ")} for ${JSON.stringify(env)}`, () => {
    const { config } = resolveConfig(new Map(), env);
    assert.deepEqual([config?.logs.exporter, config?.metrics.exporter, config?.traces.exporter], sent);
    assert.equal(config?.http.enabled, true);
  });
}

test("resolveConfig() lets OTEL_SDK_DISABLED win over the file, and a flag over it", () => {
  const env = { OTEL_SDK_DISABLED: "true", TCPRETRANS_LOGS_EXPORTER: "otlp" };
  const { config } = resolveConfig(new Map([["--metrics-exporter", ["otlp"]]]), env);
  assert.deepEqual([config?.logs.exporter, config?.metrics.exporter], ["otlp", "otlp"]);
});
