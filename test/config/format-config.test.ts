import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { parseConfigFile } from "../../src/config/config-file.ts";
import { formatConfig, summarizeConfig } from "../../src/config/format-config.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";

const example = readFileSync(join(import.meta.dirname, "../../examples/agent.yaml"), "utf8");
const withFile = (text: string) => ({ file: parseConfigFile(text, "agent.yaml") });

test("formatConfig() gives a file that resolves to the same configuration", () => {
  const before = resolveConfig(
    new Map([
      ["--cidr-name", ["a=192.0.2.0/24", "b=2001:db8::/32"]],
      ["--resource-attribute", ["quoted=true", "number=5", "text=a: b # c", "lines=a\nb"]],
      ["--node-name", ["yes"]],
    ]),
    { OTEL_TRACES_EXPORTER: "console", TCPRETRANS_HTTP: "false" },
    withFile(example.replace(/ {2}headers:\n.*\n/, "")),
  );
  const printed = formatConfig(before);
  assert.ok(printed);
  const after = resolveConfig(new Map(), {}, withFile(printed));
  assert.deepEqual(after.problems, []);
  assert.deepEqual(after.config, before.config);
});

test("formatConfig() says where each value is from, what follows, and what is not set", () => {
  const printed = formatConfig(
    resolveConfig(
      new Map([
        ["--no-http", []],
        ["--scope", ["local"]],
      ]),
      { OTEL_BSP_SCHEDULE_DELAY: "2000", TCPRETRANS_LOG_LEVEL: "warn" },
      withFile("otlp:\n  endpoint: c:4317\n"),
    ),
  );
  const lines = printed?.split("\n").map((line) => line.trim()) ?? [];
  for (const line of [
    "scope: local # --scope",
    "delaySeconds: 2 # OTEL_BSP_SCHEDULE_DELAY",
    "level: warn # TCPRETRANS_LOG_LEVEL",
    "endpoint: c:4317 # agent.yaml:2:13",
    "maxSeries: 5000 # default",
    "exporter: otlp # follows from the other settings",
    "serviceName: tcpretrans # follows from the other settings",
    "# nodeName: # not set",
    "# logs go to https://c:4317 over grpc with TLS, compression gzip",
    "# traces are not sent",
  ]) {
    assert.ok(lines.includes(line), `${line} is in\n${printed}`);
  }
});

test("formatConfig() hides what headers and queries hold", () => {
  const printed = formatConfig(
    resolveConfig(
      new Map([["--otlp-header", ["a=secret1"]]]),
      {
        TCPRETRANS_OTLP_HEADERS: "b=secret2",
        OTEL_EXPORTER_OTLP_LOGS_HEADERS: "c=secret3",
        OTEL_EXPORTER_OTLP_ENDPOINT: "https://c/?key=secret4",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      },
      withFile("otlp: {headers: {d: secret5}}"),
    ),
  );
  assert.doesNotMatch(printed ?? "secret", /secret/);
  const { otlp } = parse(printed ?? "");
  assert.deepEqual(Object.keys(otlp.headers).toSorted(), ["a", "b", "d"]);
  assert.deepEqual(otlp.logs.headers, { c: "(hidden)" });
  assert.equal(otlp.endpoint, "https://c/?(hidden)");
});

test("formatConfig() gives nothing where something is wrong", () => {
  assert.equal(formatConfig(resolveConfig(new Map([["--scope", ["x"]]]), {})), undefined);
});

test("summarizeConfig() counts places, not values", () => {
  const resolved = resolveConfig(
    new Map([["--cluster-cidr", ["10.0.0.0/8", "fd00::/8"]]]),
    { OTEL_SDK_DISABLED: "true", TCPRETRANS_SCOPE: "local" },
    withFile(example),
  );
  assert.equal(
    summarizeConfig(resolved, "agent.yaml"),
    "The configuration is right: agent.yaml, 2 variables, 1 flag",
  );
  assert.equal(
    summarizeConfig(resolveConfig(new Map(), {}), undefined),
    "The configuration is right: no file, 0 variables, 0 flags",
  );
});
