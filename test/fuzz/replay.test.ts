import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { CHUNK, encodeTickChunk, RecordingError } from "../../src/agent/recording-format.ts";
import { type ReplaySettings, runReplay } from "../../src/cli/replay.ts";
import { FUZZ_RUNS, mutatedBytes } from "../support/fuzz.ts";
import { RECORDINGS, recordingPath } from "../support/kernels.ts";

/** Each run shows a whole recording. */
const RUNS = { numRuns: Math.ceil(FUZZ_RUNS.numRuns / 50) };
const REAL = RECORDINGS.map((name) => readFileSync(recordingPath(name)));
const SHOWN: Omit<ReplaySettings, "file"> = {
  ...{ json: false, wide: true, color: true, stacks: true, lossProbes: true, names: false },
  ...{ summary: undefined, count: undefined, filter: () => true },
};

test("runReplay() throws only RecordingErrors on any change of a real recording, whatever it shows", async () => {
  await fc.assert(fc.asyncProperty(mutatedBytes(REAL), views(), replayAny), RUNS);
});

test("runReplay() throws only RecordingErrors on any time and clock of a tick, whatever it shows", async () => {
  const time = fc.oneof(
    fc.double(),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 2 ** 62, -(2 ** 62)),
  );
  const clock = fc.oneof(
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n),
  );
  const changed = fc
    .tuple(fc.constantFrom(...REAL), fc.nat(), time, clock)
    .map(([recording, nth, ...tick]) => {
      const bytes = Uint8Array.from(recording);
      const places = ticksOf(recording);
      bytes.set(encodeTickChunk(...tick), places[nth % places.length]);
      return bytes;
    });
  await fc.assert(fc.asyncProperty(changed, views(), replayAny), RUNS);
});

/** Events or summaries, as lines or as JSON. */
function views(): fc.Arbitrary<Partial<ReplaySettings>> {
  return fc.record({ json: fc.boolean(), summary: fc.constantFrom(undefined, undefined, 0, 0.5) });
}

/** Where a recording's tick chunks begin. */
function ticksOf(recording: Buffer): readonly number[] {
  const places: number[] = [];
  for (let at = 8; at < recording.length; at += 5 + recording.readUInt32LE(at + 1)) {
    if (recording[at] === CHUNK.tick) places.push(at);
  }
  return places;
}

async function replayAny(bytes: Uint8Array, view: Partial<ReplaySettings>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
  const { signal } = new AbortController();
  try {
    const file = join(directory, "file.rec");
    writeFileSync(file, bytes);
    await runReplay({ ...SHOWN, ...view, file }, { write: () => {}, say: () => {}, signal, hurry: signal });
  } catch (error) {
    assert.ok(error instanceof RecordingError, `${(error as Error).stack}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
