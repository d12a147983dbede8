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
  assert.equal(read("values.schema.json"), formatChartSchema());
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
