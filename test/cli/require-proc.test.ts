import assert from "node:assert/strict";
import { test } from "node:test";
import { requireProc } from "../../src/cli/require-proc.ts";

for (const [path, state] of [
  ["/none", "ENOENT"],
  ["/proc/version", "ENOTDIR"],
  [import.meta.dirname, "no process is there"],
] as const) {
  test(`requireProc() refuses ${path === import.meta.dirname ? "a directory of other things" : path}`, () => {
    const message = `Cannot use host.procPath ${path} (${state}): give where the host's /proc is mounted, or leave it out`;
    assert.throws(() => requireProc(path), { name: "UsageError", message });
  });
}

test("requireProc() takes /proc", () => requireProc("/proc"));
