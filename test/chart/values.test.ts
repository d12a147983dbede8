import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { chartSchema, formatChartSchema } from "../../scripts/chart-schema.ts";
import { VERSION } from "../../src/cli/version.ts";
import { parseConfigFile } from "../../src/config/config-file.ts";
import { resolveConfig } from "../../src/config/resolve-config.ts";

const CHART = join(import.meta.dirname, "../../charts/tcpretrans");
const read = (file: string) => readFileSync(join(CHART, file), "utf8");
const values = parse(read("values.yaml"));
const validate = new Ajv({
  allowUnionTypes: true,
  strict: true,
  strictTypes: false,
  allErrors: true,
}).compile(chartSchema());

test("values.schema.json is what `npm run chart` writes", () => {
  assert.equal(read("values.schema.json"), formatChartSchema(read("values.yaml")));
});

test("formatChartSchema() says of each value what values.yaml says, as the chart's README does", () => {
  const schema = JSON.parse(formatChartSchema(read("values.yaml")));
  const { collector, image, config } = schema.properties;
  assert.equal(image.properties.repository.description, "Where the image is");
  assert.equal(
    collector.properties.tls.properties.key.description,
    "Key of that certificate's key, such as `tls.key`",
  );
  assert.match(config.description, /^The agent's configuration, .* come from the other values$/);
  assert.match(config.properties.kubernetes.properties.scope.description, /watch the pods/);
  const rows = [
    ...read("README.md").matchAll(/^\| ([\w.]+) \| (?:string|bool|int|list|object) \| .* \| (.+) \|$/gm),
  ];
  assert.ok(rows.length > 100);
  for (const [, path = "", text = ""] of rows) {
    const { description } = path.split(".").reduce((value, key) => value.properties[key], schema);
    assert.equal(description, text.replaceAll("\\|", "|"), path);
  }
});

test("chartSchema() takes the chart's own values, and knows every key of them", () => {
  assert.equal(validate(values), true, JSON.stringify(validate.errors));
  const { properties } = chartSchema() as { properties: Record<string, unknown> };
  assert.deepEqual(
    Object.keys(values).toSorted(),
    Object.keys(properties)
      .filter((key) => key !== "global")
      .toSorted(),
  );
});

test("values.yaml has a configuration that the agent takes", () => {
  const { problems, warnings } = resolveConfig(
    new Map(),
    {},
    { file: parseConfigFile(JSON.stringify(values.config), "v") },
  );
  assert.deepEqual([...problems, ...warnings], []);
});

test("Chart.yaml has the program's version", () => {
  assert.equal(parse(read("Chart.yaml")).appVersion, VERSION);
});

for (const file of globSync(join(CHART, "ci/*-values.yaml"))) {
  test(`chartSchema() takes ${basename(file)}`, () => {
    assert.equal(validate(parse(readFileSync(file, "utf8"))), true, JSON.stringify(validate.errors));
  });
}
