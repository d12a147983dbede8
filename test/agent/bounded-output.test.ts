import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";

const WRITE_LOG = join(import.meta.dirname, "write-log.ts");

/** The program's standard output is a pipe, which `treat` does something with. */
async function writeLog(lines: number, treat: (stdout: NodeJS.ReadableStream & { destroy(): void }) => void) {
  const args = ["--disable-warning=ExperimentalWarning", WRITE_LOG, String(lines)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  treat(child.stdout);
  const said = text(child.stderr);
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
  return JSON.parse(await said) as {
    lost: number;
    closed: boolean;
    waiting: number;
    drainMs: number;
  };
}

test("openBoundedOutput() neither waits for a reader that stands still nor keeps more than its bound", async () => {
  const { lost, closed, waiting, drainMs } = await writeLog(5000, (stdout) => stdout.pause());
  assert.ok(lost > 4000, `${lost} of 5000 lines of 1 kB lost, with 256 KiB and a pipe to hold the others`);
  assert.ok(waiting < 300_000, `${waiting} bytes waited`);
  assert.equal(closed, false);
  assert.ok(drainMs > 1900, "at the end it waits for a reader, for a while");
});

test("openBoundedOutput() goes on without a word when its reader has gone", async () => {
  const { lost, closed } = await writeLog(5000, (stdout) => stdout.destroy());
  assert.equal(closed, true);
  assert.ok(lost > 4000, `${lost} lost`);
});

test("openBoundedOutput() loses nothing of what its bound has room for, at the end of the program neither", async () => {
  let lines = 0;
  const { lost, drainMs } = await writeLog(200, (stdout) =>
    setTimeout(() => stdout.on("data", (chunk: Buffer) => (lines += count(chunk))), 500),
  );
  assert.deepEqual({ lost, lines }, { lost: 0, lines: 200 });
  assert.ok(drainMs < 2000);
});

function count(chunk: Buffer): number {
  return chunk.filter((byte) => byte === 10).length;
}
