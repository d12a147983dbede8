import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

for (const args of [["--version"], ["-h"], ["agent", "--print-config"]]) {
  test(`tcpretrans ${args.join(" ")} says that its output cannot be written, and ends with 6`, () => {
    const full = openSync("/dev/full", "w");
    try {
      const { status, stderr } = spawnSync(
        process.execPath,
        ["--disable-warning=ExperimentalWarning", MAIN, ...args],
        { encoding: "utf8", stdio: ["ignore", full, "pipe"] },
      );
      assert.match(stderr, /^Cannot write to standard output: it says ENOSPC\n[^\n]+\n$/);
      assert.equal(status, 6);
    } finally {
      closeSync(full);
    }
  });
}
