import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordingError } from "../../src/agent/recording-format.ts";
import { EXIT_CODES, exitCodeOf, formatExitCodes } from "../../src/cli/exit-codes.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { SetupError } from "../../src/syscall/setup-error.ts";

const remedy = "Do something about it";
const cases = [
  { error: new UsageError(["Cannot use it"]), code: 2 },
  { error: new SetupError("not-root", "Cannot trace", { remedy }), code: 4 },
  { error: new SetupError("lockdown", "Cannot trace", { remedy }), code: 4 },
  { error: new SetupError("file", "Cannot write", { remedy }), code: 6 },
  { error: new SetupError("port", "Cannot serve", { remedy }), code: 8 },
  { error: new RecordingError("Cannot replay"), code: 5 },
  { error: new TypeError("a bug"), code: 1 },
  { error: "not even an error", code: 1 },
];
for (const { error, code } of cases) {
  test(`exitCodeOf() gives ${code} for ${String(error)}`, () => assert.equal(exitCodeOf(error), code));
}

test("EXIT_CODES has each code once", () => {
  const codes = Object.values(EXIT_CODES).map(({ code }) => code);
  assert.deepEqual(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal(formatExitCodes().split("\n").length, codes.length);
});
