import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfigFile } from "../../src/config/config-file.ts";
import { hideCredentials } from "../../src/config/hide-credentials.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";

for (const [written, shown] of [
  ["http://collector:4317", "http://collector:4317"],
  ["unix:/run/collector.sock", "unix:/run/collector.sock"],
  ["https://user:secret@collector/path", "https://(hidden)@collector/path"],
  ["https://user:se/cr@et@collector/path", "https://(hidden)@collector/path"],
  ["user:secret@collector:4317", "(hidden)@collector:4317"],
  ["https://collector/v1?key=secret#x", "https://collector/v1?(hidden)"],
  ["https://user:secret@collector?to=a@secret", "https://(hidden)@collector?(hidden)"],
] as const) {
  test(`hideCredentials() gives ${shown} for ${written}`, () => {
    assert.equal(hideCredentials(written), shown);
  });
}

const URL_WITH_USER = "https://user:secret@collector:4317";
const URL_WITH_KEY = "https://collector/?key=secret";
const WITH_KEY = { OTEL_EXPORTER_OTLP_ENDPOINT: URL_WITH_KEY };
const CERTIFICATE = { OTEL_EXPORTER_OTLP_CERTIFICATE: "/ca" };

for (const { name, flags = [], env = {}, yaml = "" } of [
  { name: "a flag", flags: [["--otlp-endpoint", [URL_WITH_USER]]] as const },
  { name: "a variable", env: { TCPRETRANS_OTLP_LOGS_ENDPOINT: URL_WITH_USER } },
  { name: "a variable of OpenTelemetry", env: { OTEL_EXPORTER_OTLP_ENDPOINT: URL_WITH_USER } },
  { name: "a file", yaml: `otlp: {logs: {endpoint: "${URL_WITH_USER}"}}` },
  { name: "an endpoint without a port", env: WITH_KEY },
  {
    name: "certificates without TLS",
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://c:1?secret", ...CERTIFICATE },
  },
  {
    name: "a protocol without a URL",
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: "c:1?secret", OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf" },
  },
  { name: "an endpoint that is no URL", env: { OTEL_EXPORTER_OTLP_ENDPOINT: "https://c:99999?secret" } },
]) {
  test(`resolveConfig() says what is wrong with ${name} without what is secret in it`, () => {
    const file = parseConfigFile(yaml, "agent.yaml");
    const { problems, warnings } = resolveConfig(new Map(flags), env, { file });
    const said = [...problems, ...warnings].join("\n");
    assert.match(said, /\(hidden\)/);
    assert.doesNotMatch(said, /secret/);
  });
}
