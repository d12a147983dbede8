import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { labProgram } from "../support/lab-programs.ts";

const promtool = labProgram("promtool");
const skip =
  promtool === undefined ? "no promtool: set PROMTOOL, or run the cluster tier, which builds it" : false;

function run(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(promtool ?? "", args, { encoding: "utf8" });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return `${stdout}${stderr}`;
}

test("the rule files are what Prometheus takes", { skip }, () => {
  const rules = globSync(join(import.meta.dirname, "../../charts/tcpretrans/rules/*.yaml")).sort();
  const said = run(["check", "rules", "--lint=all", "--lint-fatal", ...rules]);
  assert.match(said, /alerts\.yaml\n\s+SUCCESS: 10 rules found/);
});

for (const file of globSync(join(import.meta.dirname, "*.test.yaml")).sort()) {
  test(`promtool test rules ${basename(file)}`, { skip }, () => {
    assert.match(run(["test", "rules", file]), /SUCCESS/);
  });
}
