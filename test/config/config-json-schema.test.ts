import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import fc from "fast-check";
import { stringify } from "yaml";
import { configJsonSchema, formatJsonSchema } from "../../scripts/config-json-schema.ts";
import { settingsTables } from "../../scripts/config-tables.ts";
import { parseConfigFile } from "../../src/config/config-file.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";
import { SETTINGS } from "../../src/config/settings.ts";
import { FUZZ_RUNS } from "../support/fuzz.ts";

const ROOT = join(import.meta.dirname, "../..");
const PUBLISHED = readFileSync(join(ROOT, "schema/config.schema.json"), "utf8");

interface Node {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: unknown;
  readonly [key: string]: unknown;
}

const validate = new Ajv({ allowUnionTypes: true, strict: true, allErrors: true }).compile(
  JSON.parse(PUBLISHED),
);

/** What the program says of a document, and only of it: nothing else sets anything. */
function programTakes(document: unknown): boolean {
  const text = stringify(document, { aliasDuplicateObjects: false });
  return resolveConfig(new Map(), {}, { file: parseConfigFile(text, "a.yaml") }).problems.length === 0;
}

test("schema/config.schema.json is what `npm run generate:config` writes", () => {
  assert.equal(PUBLISHED, formatJsonSchema());
});

test("docs/configuration.md has the tables that `npm run generate:config` writes", () => {
  const document = readFileSync(join(ROOT, "docs/configuration.md"), "utf8");
  const part = document.split("<!-- npm run generate:config: begin -->\n")[1]?.split("\n<!-- end -->")[0];
  assert.equal(part, settingsTables());
});

test("schema/config.schema.json describes every setting, and takes no other key anywhere", () => {
  const bare: string[] = [];
  const leaves: string[] = [];
  const walk = ({ properties, description, additionalProperties }: Node, path: string): void => {
    if (properties === undefined) {
      leaves.push(path);
      if (description === undefined) bare.push(path);
      return;
    }
    if (additionalProperties !== false) bare.push(path);
    for (const [key, node] of Object.entries(properties)) walk(node, path === "" ? key : `${path}.${key}`);
  };
  walk(JSON.parse(PUBLISHED), "");
  assert.deepEqual(bare, []);
  assert.deepEqual(leaves.toSorted(), SETTINGS.map(({ path }) => path).toSorted());
});

test("schema/config.schema.json has only what draft 7 and Go's expressions know", () => {
  assert.equal(configJsonSchema().$schema, "http://json-schema.org/draft-07/schema#");
  assert.doesNotMatch(PUBLISHED, /\(\?[=!<]/, "no look-around");
  assert.doesNotMatch(PUBLISHED, /"\$(ref|defs|id)"/, "it can stand inside another schema");
});

const taken: readonly unknown[] = [
  {},
  { kubernetes: null, otlp: { logs: null }, log: {} },
  { kubernetes: { enabled: true, tombstones: { seconds: 0, count: 1_000_000 } } },
  {
    kubernetes: {
      enabled: "auto",
      clusterCidrs: ["10.0.0.0/8", "fd00::/8", "::ffff:10.0.0.1", "2001:db8::1"],
    },
  },
  { names: { cidrs: [{ name: "a", cidr: "0.0.0.0/0" }] } },
  { metrics: { intervalSeconds: 0.5, detail: "peer-pod", histograms: "exponential" } },
  { otlp: { endpoint: "http://[::1]:4317", headers: { "X-A.b_c": " ~" }, timeoutSeconds: 0 } },
  { otlp: { endpoint: "collector:4317" } },
  { otlp: { endpoint: "unix:///run/otel.sock", traces: { protocol: "http/protobuf" } } },
  { queue: { maxBytes: 33554432.0 } },
  { resource: { attributes: { "a.b/c": "" } } },
  { http: { host: "::", port: 0 } },
];
for (const document of taken) {
  test(`schema/config.schema.json and the program take ${JSON.stringify(document)}`, () => {
    assert.equal(validate(document), true, JSON.stringify(validate.errors));
    assert.equal(programTakes(document), true);
  });
}

const refused: readonly unknown[] = [
  { metrcis: {} },
  { kubernetes: { scope: "node" } },
  { kubernetes: { enabled: "yes" } },
  { kubernetes: { enabled: null } },
  { kubernetes: [] },
  { kubernetes: { clusterCidrs: ["10.0.0.0/33"] } },
  { kubernetes: { clusterCidrs: ["10.0.0/8"] } },
  { kubernetes: { clusterCidrs: ["2001:db8::/129"] } },
  { kubernetes: { clusterCidrs: ["2001:db8:::1"] } },
  { kubernetes: { clusterCidrs: "10.0.0.0/8" } },
  { kubernetes: { tombstones: { seconds: 1.5 } } },
  { kubernetes: { tombstones: { seconds: -1 } } },
  { kubernetes: { tombstones: { seconds: "60" } } },
  { kubernetes: { nodeName: "" } },
  { kubernetes: { netnsPath: "run/netns" } },
  { names: { cidrs: [{ name: "a" }] } },
  { names: { cidrs: [{ name: "a b", cidr: "10.0.0.0/8" }] } },
  { names: { cidrs: [{ name: "a", cidr: "10.0.0.0/8", note: "" }] } },
  { capture: { probe: "counters" } },
  { http: { port: 65_536 } },
  { http: { host: "a b" } },
  { metrics: { intervalSeconds: 0 } },
  { metrics: { intervalSeconds: null } },
  { traces: { sampleRatio: 1.1 } },
  { otlp: { protocol: "http/json" } },
  { otlp: { endpoint: "ftp://c" } },
  { otlp: { endpoint: "http://c:65536" } },
  { otlp: { endpoint: "http://user:pass@c" } },
  { otlp: { endpoint: "c:4317/v1/logs" } },
  { otlp: { headers: { "a b": "c" } } },
  { otlp: { headers: { a: "line\nline" } } },
  { otlp: { headers: { a: 5 } } },
  { otlp: { logs: { logs: {} } } },
  { resource: { attributes: { "": "x" } } },
  { resource: { attributes: ["a=b"] } },
  { demo: "true" },
];
for (const document of refused) {
  test(`schema/config.schema.json and the program refuse ${JSON.stringify(document)}`, () => {
    assert.equal(validate(document), false);
    assert.equal(programTakes(document), false);
  });
}

/** Values that are right for some setting, and wrong for most. */
const VALUES: readonly unknown[] = [
  ...SETTINGS.flatMap(({ fallback, choices }) => [fallback ?? "x", ...choices]),
  ...[null, true, 0, 1, 0.5, -1, 65_536, 1e10, "", "a", "/a", "10.0.0.0/8", "http://c:1", "c:1", [], {}],
  ...[["10.0.0.0/8"], [{ name: "a", cidr: "::/0" }], { a: "b" }, { a: 1 }],
];

test("schema/config.schema.json and the program agree on any value of any setting", () => {
  const path = fc.constantFrom(...SETTINGS.map((setting) => setting.path));
  const change = fc.record({ path, value: fc.constantFrom(...VALUES) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
      const document: Record<string, unknown> = {};
      for (const { path, value } of changes) {
        // What a client's certificate lacks is for the whole configuration to say, not for the file.
        if (!/\.client(Key|Certificate)$/.test(path)) put(document, path.split("."), value);
      }
      const whole = {
        ...document,
        logs: { ...(document["logs"] as object), exporter: "none" },
        metrics: { ...(document["metrics"] as object), exporter: "none" },
      };
      assert.equal(programTakes(whole), validate(whole), JSON.stringify(whole));
    }),
    { numRuns: Math.min(FUZZ_RUNS.numRuns, 600) },
  );
});

function put(
  target: Record<string, unknown>,
  [first = "", ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length === 0) target[first] = value;
  else {
    const inner = (target[first] ?? {}) as Record<string, unknown>;
    target[first] = inner;
    put(inner, rest, value);
  }
}

test("examples/agent.yaml is right, and sets something in every section", () => {
  const text = readFileSync(join(ROOT, "examples/agent.yaml"), "utf8");
  const { config, problems, warnings, origins } = resolveConfig(
    new Map(),
    {},
    { file: parseConfigFile(text, "a.yaml") },
  );
  assert.deepEqual([problems, warnings], [[], []]);
  assert.equal(config?.otlp.traces.endpoint, "http://tempo.observability.svc:4318/v1/traces");
  const sections = new Set([...origins.keys()].map((path) => path.split(".")[0]));
  assert.deepEqual(
    [...sections].toSorted(),
    [...new Set(SETTINGS.map(({ path }) => path.split(".")[0]))].toSorted(),
  );
});
