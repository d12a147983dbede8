import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../src/config/config.ts";
import { parseConfigFile } from "../../src/config/config-file.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";
import { longFlag, NAMING_SETTINGS, SETTINGS } from "../../src/config/settings.ts";

const flags = (entries: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(entries));
const file = (text: string) => ({ file: parseConfigFile(text, "agent.yaml") });

function resolved(...args: Parameters<typeof resolveConfig>): Config {
  const { config, problems } = resolveConfig(...args);
  assert.deepEqual(problems, []);
  assert.ok(config);
  return config;
}

test("resolveConfig() gives the defaults where nothing is set", () => {
  const config = resolved(new Map(), {});
  assert.deepEqual(config.kubernetes, {
    enabled: "auto",
    scope: "cluster",
    clusterCidrs: [],
    serviceCidrs: false,
    socketLevelServices: false,
    netnsPath: "/var/run/netns",
    tombstones: { seconds: 600, count: 20_000 },
  });
  assert.deepEqual(config.names, { cidrs: [] });
  assert.deepEqual(config.http, { enabled: true, host: "127.0.0.1", port: 9464 });
  assert.deepEqual(config.queue, { maxBytes: 33_554_432, maxRecords: 100_000 });
  assert.deepEqual(config.logs, {
    exporter: "none",
    recordsPerSecond: 500,
    summarySeconds: 10,
    batch: { delayMs: 1000, maxRecords: 512, queueRecords: 100_000 },
    limits: { attributeCount: 128, attributeLength: undefined },
  });
  assert.deepEqual(
    [config.metrics.exporter, config.metrics.intervalMs, config.traces.exporter],
    ["none", 60_000, "none"],
  );
  assert.equal(config.resource.serviceName, "tcpretrans");
});

test("resolveConfig() lets flags win over own variables, these over OTEL_*, these over the file, and that over defaults", () => {
  const yaml =
    "http: {port: 1}\nmetrics: {intervalSeconds: 1, temporality: delta, idleSeconds: 1}\nlog: {level: debug}";
  const otel = {
    OTEL_EXPORTER_PROMETHEUS_PORT: "2",
    OTEL_METRIC_EXPORT_INTERVAL: "2000",
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "LowMemory",
  };
  const own = { TCPRETRANS_HTTP_PORT: "3", TCPRETRANS_METRICS_INTERVAL_SECONDS: "3" };
  const layered = resolveConfig(flags({ "--http-port": ["4"] }), { ...otel, ...own }, file(yaml));
  const { config, origins } = layered;
  assert.equal(config?.http.port, 4);
  assert.equal(config.metrics.intervalMs, 3000);
  assert.equal(config.metrics.temporality, "lowmemory");
  assert.equal(config.metrics.idleSeconds, 1);
  assert.equal(config.metrics.maxSeries, 5000);
  assert.deepEqual(
    ["http.port", "metrics.intervalSeconds", "metrics.temporality", "log.level", "metrics.maxSeries"].map(
      (path) => origins.get(path),
    ),
    [
      "--http-port",
      "TCPRETRANS_METRICS_INTERVAL_SECONDS",
      "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
      "agent.yaml:3:14",
      undefined,
    ],
  );
});

test("resolveConfig() gathers names with texts from all places, and the first place has a name", () => {
  const { config, origins } = resolveConfig(
    flags({ "--resource-attribute": ["a=flag"] }),
    { TCPRETRANS_RESOURCE_ATTRIBUTES: "a=own,b=own", OTEL_RESOURCE_ATTRIBUTES: "b=otel,c=otel%2C%20x" },
    file("resource: {attributes: {c: file, d: file}}"),
  );
  assert.deepEqual({ ...config?.resource.attributes }, { a: "flag", b: "own", c: "otel, x", d: "file" });
  assert.equal(
    origins.get("resource.attributes"),
    "agent.yaml:1:24, OTEL_RESOURCE_ATTRIBUTES, TCPRETRANS_RESOURCE_ATTRIBUTES, --resource-attribute",
  );
});

test("resolveConfig() takes the service's and the cluster's name out of the attributes where they are not set", () => {
  const env = { OTEL_RESOURCE_ATTRIBUTES: "service.name=attribute,k8s.cluster.name=lab,a=b" };
  const { resource } = resolved(new Map(), env);
  assert.deepEqual(resource, {
    mode: "agent",
    serviceName: "attribute",
    clusterName: "lab",
    attributes: { a: "b" },
  });
  const named = resolved(new Map(), { ...env, OTEL_SERVICE_NAME: "own", TCPRETRANS_CLUSTER_NAME: "prod" });
  assert.deepEqual([named.resource.serviceName, named.resource.clusterName], ["own", "prod"]);
});

test("resolveConfig() reads texts of switches, numbers, words and lists", () => {
  const env = {
    NODE_NAME: "node-a",
    TCPRETRANS_KUBERNETES: "false",
    TCPRETRANS_SOCKET_LEVEL_SERVICES: "true",
    TCPRETRANS_SERVICE_CIDRS: "0",
    TCPRETRANS_CLUSTER_CIDRS: "10.0.0.0/8, fd00::/8",
    TCPRETRANS_TRACES_SAMPLE_RATIO: "0.25",
  };
  const config = resolved(
    flags({
      "--http": ["", "false"],
      "--tombstone-seconds": ["60"],
      "--node-name": ["node-b"],
      "--cidr-name": ["office=192.0.2.0/24", "db=2001:db8::7"],
    }),
    env,
  );
  const { kubernetes } = config;
  assert.deepEqual(
    [kubernetes.enabled, kubernetes.socketLevelServices, kubernetes.serviceCidrs],
    [false, true, false],
  );
  assert.deepEqual([kubernetes.nodeName, kubernetes.tombstones.seconds], ["node-b", 60]);
  assert.deepEqual(kubernetes.clusterCidrs, ["10.0.0.0/8", "fd00::/8"]);
  assert.equal(config.http.enabled, false, "the last of --http and --no-http has it");
  assert.equal(config.traces.sampleRatio, 0.25);
  assert.deepEqual(config.names.cidrs, [
    { name: "office", cidr: "192.0.2.0/24" },
    { name: "db", cidr: "2001:db8::7" },
  ]);
});

test("resolveConfig() treats an empty variable as one that is not set", () => {
  const env = { TCPRETRANS_SCOPE: "", OTEL_EXPORTER_OTLP_ENDPOINT: " ", TCPRETRANS_LOGS_EXPORTER: "" };
  const config = resolved(new Map(), env);
  assert.deepEqual([config.kubernetes.scope, config.logs.exporter], ["cluster", "none"]);
});

test("resolveConfig() passes over what Kubernetes sets beside a Service, and says which variables nothing reads", () => {
  const { config, warnings } = resolveConfig(new Map(), {
    TCPRETRANS_SERVICE_HOST: "10.96.0.7",
    TCPRETRANS_SERVICE_PORT_METRICS: "9464",
    TCPRETRANS_PORT: "tcp://10.96.0.7:9464",
    TCPRETRANS_PORT_9464_TCP_ADDR: "10.96.0.7",
    TCPRETRANS_HTTP_PORT: "tcp://10.96.0.8:80",
    TCPRETRANS_NO_FFI: "1",
    TCPRETRANS_SCOOP: "local",
    TCPRETRANS_Q: "1",
  });
  assert.equal(config?.http.port, 9464);
  assert.deepEqual(warnings, [
    "Unknown variable TCPRETRANS_SCOOP: did you mean TCPRETRANS_SCOPE?",
    "Unknown variable TCPRETRANS_Q",
  ]);
});

test("resolveConfig() says everything that is wrong at once, each with where it was written and what to give", () => {
  const { config, problems } = resolveConfig(
    flags({
      "--scope": ["some"],
      "--tombstone-seconds": ["1.5"],
      "--cidr-name": ["office", "x=10.0.0.0/33"],
      "--cluster-cidr": ["10.0.0.0/8", "nonsense"],
      "--otlp-header": ["secret"],
    }),
    { TCPRETRANS_SERVICE_CIDRS: "maybe", OTEL_EXPORTER_OTLP_HEADERS: "secret" },
    file("http:\n  port: 70000\nmetrics: {detail: node}\n"),
  );
  assert.equal(config, undefined);
  assert.deepEqual(problems, [
    "agent.yaml:2:9: Cannot use http.port 70000: give a whole number from 0 to 65535",
    "agent.yaml:3:19: Cannot use metrics.detail node: give one of workload, pod, peer-pod",
    "Cannot use --scope some: give one of local, cluster",
    "Cannot use --cluster-cidr 10.0.0.0/8 --cluster-cidr nonsense: give an address or a CIDR range, such as 10.0.0.0/8 or 2001:db8::/32",
    "Cannot use TCPRETRANS_SERVICE_CIDRS=maybe: give true or false",
    "Cannot use --tombstone-seconds 1.5: give a whole number from 0 to 86400",
    "Cannot use --cidr-name office --cidr-name x=10.0.0.0/33: give a name and a range, such as office=192.0.2.0/24",
    "Cannot use --cidr-name office --cidr-name x=10.0.0.0/33: give an address or a CIDR range, such as 10.0.0.0/8 or 2001:db8::/32",
    "Cannot use --otlp-header: give names with their texts",
    "Cannot use OTEL_EXPORTER_OTLP_HEADERS: give name=text pairs with commas between them, and other commas as %2C",
  ]);
});

test("resolveConfig() says what does not fit together", () => {
  const { problems } = resolveConfig(
    flags({ "--otlp-endpoint": ["collector:4318"], "--otlp-protocol": ["http/protobuf"] }),
    { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://[::::]:1", TCPRETRANS_OTLP_METRICS_CLIENT_KEY: "key.pem" },
    file(
      "traces: {exporter: otlp}\notlp: {traces: {clientCertificate: c.pem, endpoint: 'https://t.example'}}",
    ),
  );
  assert.deepEqual(problems, [
    "Cannot send logs to http://[::::]:1/: it is no URL; give one such as http://collector:4317",
    "Cannot send metrics to collector:4318/v1/metrics over http/protobuf: give a URL with http:// or https://",
    "Cannot use the client key key.pem for metrics without its certificate: give otlp.clientCertificate too",
    "Cannot use the client certificate c.pem for traces without its key: give otlp.clientKey too",
  ]);
});

test("resolveConfig() looks at no target that nothing is sent to", () => {
  const flagTexts = flags({
    "--otlp-traces-endpoint": ["collector:4318"],
    "--otlp-traces-protocol": ["http/protobuf"],
  });
  assert.equal(resolved(flagTexts, {}).traces.exporter, "none");
});

test("resolveConfig() warns of what has no effect", () => {
  const { warnings, config } = resolveConfig(
    flags({ "--otlp-endpoint": ["http://collector"], "--otlp-certificate": ["ca.pem"] }),
    { OTEL_BLRP_MAX_QUEUE_SIZE: "100" },
    file("otlp: {metrics: {endpoint: 'http://metrics:4317'}}"),
  );
  assert.deepEqual(warnings, [
    "Sending logs to http://collector without TLS although certificates are given: https:// turns it on",
    "Sending logs to http://collector: gRPC takes port 80 where none is given; receivers listen on 4317",
    "logs.batch.maxRecords is taken as 100: no more may wait",
  ]);
  assert.deepEqual(config?.logs.batch, { delayMs: 1000, maxRecords: 100, queueRecords: 100 });
});

test("resolveConfig() warns that an endpoint for traces alone turns them not on, unless they are said to be off", () => {
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://tempo:4317" };
  const none: readonly string[] = [];
  assert.deepEqual(resolveConfig(flags({}), env).warnings, [
    "No spans are sent to http://tempo:4317: they are only where traces.exporter is otlp",
  ]);
  assert.deepEqual(resolveConfig(flags({}), { ...env, OTEL_TRACES_EXPORTER: "none" }).warnings, none);
  assert.deepEqual(resolveConfig(flags({}), { ...env, OTEL_SDK_DISABLED: "true" }).warnings, none);
  assert.deepEqual(resolveConfig(flags({}), { ...env, OTEL_TRACES_EXPORTER: "otlp" }).warnings, none);
});

test("resolveConfig() reads only what it is told to, and no OTEL_* variable then", () => {
  const { config, warnings, problems } = resolveConfig(
    flags({ "--scope": ["local"], "--http-port": ["nonsense"] }),
    { TCPRETRANS_HTTP_PORT: "nonsense", OTEL_LOGS_EXPORTER: "nonsense", TCPRETRANS_KUBERNETES: "maybe" },
    { only: NAMING_SETTINGS },
  );
  assert.deepEqual([problems, warnings], [[], []]);
  assert.deepEqual(
    [config?.kubernetes.scope, config?.http.port, config?.kubernetes.enabled],
    ["local", 9464, "auto"],
  );
});

test("resolveConfig() gives what cannot be changed", () => {
  const config = resolved(flags({ "--cidr-name": ["a=192.0.2.0/24"] }), {
    OTEL_EXPORTER_OTLP_HEADERS: "a=b",
  });
  const loose: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    if (!Object.isFrozen(value)) loose.push(path);
    for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
  };
  walk(config, "config");
  assert.deepEqual(loose, []);
});

test("SETTINGS have flags and variables that are each used once", () => {
  assert.equal(new Set(SETTINGS.map(longFlag)).size, SETTINGS.length);
  assert.equal(new Set(SETTINGS.map(({ env }) => env)).size, SETTINGS.length);
  assert.equal(new Set(SETTINGS.map(({ path }) => path)).size, SETTINGS.length);
});

test("SETTINGS have a description each", () => {
  assert.deepEqual(
    SETTINGS.filter(({ description }) => description === "").map(({ path }) => path),
    [],
  );
});
