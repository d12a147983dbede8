import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const RECORDING = join(import.meta.dirname, "../fixtures/recordings/6.12.rec");
/** Fills the pipe but for some KiB before the program writes; its reader comes later than a program would wait that ends. */
const TO_SLOW_READER = '{ head -c 60000 /dev/zero; "$@"; } | { sleep 3; tail -c +60001; }';

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

test("tcpretrans replay waits until a slow reader has taken all of it", () => {
  const words = ["--disable-warning=ExperimentalWarning", MAIN, "replay", "--json", RECORDING];
  const { stdout } = spawnSync(process.execPath, words, { encoding: "utf8" });
  assert.ok(stdout.length > 20_000, `${stdout.length} characters would all fit into the pipe`);
  const slow = spawnSync("sh", ["-c", TO_SLOW_READER, "sh", process.execPath, ...words], {
    encoding: "utf8",
  });
  assert.equal(slow.stdout, stdout);
});
