import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { requireNode } from "../../src/cli/node-version.ts";
import { SetupError } from "../../src/syscall/setup-error.ts";

test("requireNode() refuses what is older than package.json says, in a sentence", () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
  assert.equal(engines.node, ">=24");
  for (const version of ["24.0.0", "26.10.0", "100.1.0"]) requireNode(version);
  for (const version of ["20.20.2", "23.11.1"]) {
    assert.throws(
      () => requireNode(version),
      (error) =>
        error instanceof SetupError &&
        error.message === `Cannot run on Node ${version}: 24 or newer is needed`,
    );
  }
});
