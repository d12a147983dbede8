import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const WRITE_LOG = join(import.meta.dirname, "write-log.ts");

/** The program's standard output is a pipe, which `treat` does something with. */
async function writeLog(treat: (stdout: NodeJS.ReadableStream & { destroy(): void }) => void) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", WRITE_LOG], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  treat(child.stdout);
  const said = text(child.stderr);
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  return JSON.parse(await said) as { lost: number; closed: boolean; waiting: number };
}

test("openBoundedOutput() neither waits for a reader that stands still nor keeps more than its bound", async () => {
  const { lost, closed, waiting } = await writeLog((stdout) => stdout.pause());
  assert.ok(lost > 4000, `${lost} of 5000 lines of 1 kB lost, with 256 KiB and a pipe to hold the others`);
  assert.ok(waiting < 300_000, `${waiting} bytes waited`);
  assert.equal(closed, false);
});

test("openBoundedOutput() goes on without a word when its reader has gone", async () => {
  const { lost, closed } = await writeLog((stdout) => stdout.destroy());
  assert.equal(closed, true);
  assert.ok(lost > 4000, `${lost} lost`);
});

test("openBoundedOutput() gives a reader that reads every line but those that it counts as lost", async () => {
  let lines = 0;
  const { lost } = await writeLog((stdout) =>
    stdout.on("data", (chunk: Buffer) => (lines += chunk.filter((byte) => byte === 10).length)),
  );
  assert.equal(lines + lost, 5000);
  assert.ok(lost < 4000, `${lost} of 5000 lines lost: more than to one that stands still`);
});
