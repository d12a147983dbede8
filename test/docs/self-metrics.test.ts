import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SELF_METRICS } from "../../src/export/self-metric-definitions.ts";
import { ROOT } from "./markdown.ts";

const HEADING = "## Metrics of the agent itself";

/** Names in the first column of the table under a heading, which ends with the next one. */
function namesInTable(text: string, heading: string): readonly string[] {
  const [, section = ""] = text.split(`\n${heading}\n`);
  const rows = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) =>
    [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ""),
  );
}

test("docs/operations.md says of each metric of the agent itself, once, what to do about it", () => {
  const told = namesInTable(readFileSync(join(ROOT, "docs/operations.md"), "utf8"), HEADING);
  const defined = Object.values(SELF_METRICS).map(({ name }) => name);
  assert.deepEqual(told.toSorted(), defined.toSorted());
});

test("namesInTable() has each name of a row's first cell, of that section only", () => {
  const text =
    "# A\n\n## B\n| `no` | x |\n\n## C\n\n| name | |\n|---|---|\n| `a`, `b` | `c` |\n| `d` | x |\n\n## E\n| `f` | x |\n";
  assert.deepEqual(namesInTable(text, "## C"), ["a", "b", "d"]);
});
