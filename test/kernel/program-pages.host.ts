import assert from "node:assert/strict";
import { test } from "node:test";
import { openLibc } from "../../src/syscall/libc.ts";
import { memoryOf } from "../bench/process-cost.ts";
import { Program } from "../support/program.ts";

const filesOf = ({ child }: Program): number => memoryOf(child.pid ?? 0).files;

test("tcpretrans gives back, once it captures, what of Node's program only the start has needed, and goes on", {
  skip: openLibc() === undefined && "there is no node:ffi",
}, async () => {
  // The same program without the means to give anything back: what it has in memory is what the other had before.
  await using keeps = await Program.tracing(["--json"], { env: { TCPRETRANS_NO_FFI: "1" } });
  await using gives = await Program.tracing(["--json"]);
  await gives.until(() => filesOf(gives) < filesOf(keeps) / 2, "gave half of it back");
  for (const program of [keeps, gives]) {
    assert.deepEqual(await program.stop(), { code: 0, signal: null });
    assert.match(program.stderr, /^Ending tracing\.\.\.$/m);
  }
});
