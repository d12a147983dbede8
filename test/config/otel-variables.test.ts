import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { OTEL_VARIABLES } from "../../src/config/otel-variables.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";
import { SPECIFIED_VARIABLES } from "./specified-variables.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The document's tables: `NAME` | who | what | `example`. */
const ROWS = [
  ...readFileSync(join(ROOT, "docs/configuration.md"), "utf8").matchAll(
    /^\| `(OTEL_[A-Z_]+)` \| ([^|]+) \| ([^|]+) \| (`[^|]+`|–) \|$/gm,
  ),
].map(([, name = "", who = "", what = "", example = ""]) => ({
  name,
  who,
  what,
  example: example.slice(1, -1),
}));

/** What variables need beside them to change anything, and to be right. */
function around(name: string): Readonly<Record<string, string>> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: name.endsWith("_INSECURE") ? "collector:4317" : "https://collector:4317",
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: "some.crt",
    OTEL_EXPORTER_OTLP_CLIENT_KEY: "some.key",
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_TRACES_SAMPLER: "traceidratio",
  };
}

test("docs/configuration.md has a row for every variable of the specification, and one each", () => {
  const names = ROWS.map(({ name }) => name);
  assert.deepEqual(
    SPECIFIED_VARIABLES.filter((name) => !names.includes(name)),
    [],
  );
  assert.equal(new Set(names).size, names.length);
});

test("docs/configuration.md has a row for every variable that the installed SDK reads", () => {
  const read = new Set<string>();
  for (const file of globSync(join(ROOT, "node_modules/@opentelemetry/*/dist/**/*.mjs"))) {
    const code = readFileSync(file, "utf8");
    for (const [, name = ""] of code.matchAll(/(?:FromEnv\(|process\.env\[)["'`](OTEL_[A-Z_]+[A-Z])["'`]/g)) {
      read.add(name);
    }
  }
  assert.ok(read.has("OTEL_BLRP_MAX_QUEUE_SIZE"), "the search finds what the SDK is known to read");
  const names = ROWS.map(({ name }) => name);
  assert.deepEqual(
    [...read].filter((name) => !names.includes(name)),
    [],
  );
});

test("docs/configuration.md says of every variable that it is honoured by us, by the SDK, or not applicable", () => {
  assert.deepEqual(
    ROWS.filter(({ who }) => !["us", "SDK", "not applicable"].includes(who)),
    [],
  );
});

test("OTEL_VARIABLES are those that docs/configuration.md says are honoured by us", () => {
  const said = ROWS.filter(({ who }) => who === "us").map(({ name }) => name);
  // The sampler's argument is read with the sampler.
  const read = [...OTEL_VARIABLES.map((variable) => variable.name), "OTEL_TRACES_SAMPLER_ARG"];
  assert.deepEqual(said.toSorted(), read.toSorted());
});

for (const { name, who, what, example } of ROWS) {
  if (who === "us") {
    test(`resolveConfig() gives another configuration for ${name}=${example}`, () => {
      const before = resolveConfig(new Map(), around(name));
      const after = resolveConfig(new Map(), { ...around(name), [name]: example });
      assert.deepEqual(after.problems, []);
      // Without TLS the certificates around it have no effect.
      if (!name.endsWith("_INSECURE")) assert.deepEqual(after.warnings, []);
      assert.notDeepEqual(after.config, before.config);
      const said = [...what.matchAll(/`([a-z]+\.[a-zA-Z.]+)`/g)].map(([, path = ""]) => path);
      assert.ok(
        said.some(
          (path) =>
            after.origins.get(path) === (name === "OTEL_TRACES_SAMPLER_ARG" ? "OTEL_TRACES_SAMPLER" : name),
        ),
        `the document names one of ${said.join(", ")} for ${name}`,
      );
    });
  } else {
    test(`resolveConfig() gives the same configuration for ${name}, which is not ours`, () => {
      const { config, warnings } = resolveConfig(new Map(), { ...around(name), [name]: "1" });
      assert.deepEqual(config, resolveConfig(new Map(), around(name)).config);
      assert.deepEqual(warnings, []);
    });
  }
}

const leftOut = [
  { env: { OTEL_METRIC_EXPORT_INTERVAL: "1s" }, sentence: "give whole milliseconds" },
  {
    env: { OTEL_METRIC_EXPORT_INTERVAL: "50" },
    sentence: "metrics.intervalSeconds would be 0.05: give seconds from 0.1 to 86400, such as 10 or 0.5",
  },
  { env: { OTEL_BSP_MAX_QUEUE_SIZE: "-1" }, sentence: "give a whole number" },
  { env: { OTEL_BSP_MAX_QUEUE_SIZE: "0" }, sentence: "give a whole number from 1 to 10000000" },
  { env: { OTEL_EXPORTER_PROMETHEUS_PORT: "70000" }, sentence: "give a whole number from 0 to 65535" },
  { env: { OTEL_SDK_DISABLED: "1" }, sentence: "give true or false" },
  { env: { OTEL_TRACES_EXPORTER: "zipkin" }, sentence: "give one of otlp, console, none" },
  { env: { OTEL_METRICS_EXPORTER: "otlp,statsd" }, sentence: "give one of otlp, console, none, prometheus" },
  { env: { OTEL_EXPORTER_OTLP_COMPRESSION: "zstd" }, sentence: "give one of gzip, none" },
  { env: { OTEL_EXPORTER_OTLP_PROTOCOL: "thrift" }, sentence: "give one of grpc, http/protobuf" },
  { env: { OTEL_LOG_LEVEL: "loud" }, sentence: "give one of debug, info, warn, error" },
  {
    env: { OTEL_TRACES_SAMPLER: "jaeger_remote" },
    sentence: "give always_on, always_off or traceidratio, alone or behind parentbased_",
  },
  {
    env: { OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: "sum" },
    sentence: "give explicit_bucket_histogram or base2_exponential_bucket_histogram",
  },
  {
    env: { OTEL_RESOURCE_ATTRIBUTES: "a=b,c" },
    sentence: "give name=text pairs with commas between them, and other commas as %2C",
  },
  {
    env: { OTEL_RESOURCE_ATTRIBUTES: "a=%zz" },
    sentence: "give name=text pairs with commas between them, and other commas as %2C",
  },
];
for (const { env, sentence } of leftOut) {
  const [name, text] = Object.entries(env)[0]!;
  test(`readOtelVariables() leaves out ${name}=${text} with a warning`, () => {
    const { config, problems, warnings } = resolveConfig(new Map(), env);
    assert.deepEqual(warnings, [`Leaving out ${name}=${text}: ${sentence}`]);
    assert.deepEqual(problems, []);
    assert.deepEqual(config, resolveConfig(new Map(), {}).config);
  });
}

const noted = [
  {
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" },
    note: "http/protobuf is spoken instead: receivers take both at the same address",
  },
  { env: { OTEL_EXPORTER_OTLP_INSECURE: "1" }, note: "it is taken for false: give true or false" },
  {
    env: { OTEL_LOGS_EXPORTER: "otlp,console" },
    note: "console is left out: one exporter is taken, the first",
  },
  {
    env: { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" },
    note: "OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1: every episode is taken",
  },
];
for (const { env, note } of noted) {
  const [name, text] = Object.entries(env)[0]!;
  test(`readOtelVariables() says what it makes of ${JSON.stringify(env)}`, () => {
    assert.deepEqual(resolveConfig(new Map(), env).warnings, [`${name}=${text}: ${note}`]);
  });
}

for (const env of [
  { OTEL_EXPORTER_OTLP_ENDPOINT: "ftp://collector" },
  { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "collector:99999" },
  { OTEL_EXPORTER_OTLP_HEADERS: "a b=c" },
]) {
  test(`readOtelVariables() refuses ${JSON.stringify(env)}`, () => {
    const { problems, warnings } = resolveConfig(new Map(), env);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /^Cannot use OTEL_EXPORTER_OTLP_/);
    assert.deepEqual(warnings, []);
  });
}

test("resolveConfig() reads the sampler's words", () => {
  const ratio = (sampler: string, argument = "0.5") =>
    resolveConfig(new Map(), { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument }).config
      ?.traces.sampleRatio;
  assert.deepEqual(
    ["always_on", "always_off", "parentbased_always_off", "traceidratio", "parentbased_traceidratio"].map(
      (name) => ratio(name),
    ),
    [1, 0, 0, 0.5, 0.5],
  );
  assert.equal(ratio("traceidratio", ""), 1);
});
