import assert from "node:assert/strict";
import { test } from "node:test";
import { type DirectoryEntry, parseDirectory } from "../../src/host/parse-directory.ts";
import { parseXxd } from "../support/xxd.ts";

/** Four entries of getdents64(2) on a /proc of Linux 6.18: `self`, `thread-self`, `1` and `2`. */
const ENTRIES = `
00000000: 0000 00f0 0000 0000 0101 0000 0000 0000  ................
00000010: 1800 0a73 656c 6600 0100 00f0 0000 0000  ...self.........
00000020: 0301 0000 0000 0000 2000 0a74 6872 6561  ........ ..threa
00000030: 642d 7365 6c66 0000 a506 0000 0000 0000  d-self..........
00000040: 0401 0000 0000 0000 1800 0431 0000 0000  ...........1....
00000050: 7d01 0000 0000 0000 0501 0000 0000 0000  }...............
00000060: 1800 0432 0000 0000                      ...2....
`;

/** A buffer in which the bytes do not begin at 0. */
function shifted(bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(bytes.length + 8);
  buffer.set(bytes, 8);
  return buffer.subarray(8);
}

for (const [name, place] of [
  ["at its start", (bytes: Uint8Array) => bytes],
  ["in a part of it", shifted],
] as const) {
  test(`parseDirectory() gives the PIDs in a buffer, ${name}, with where the next one is, and where to go on`, () => {
    const entries: DirectoryEntry[] = [];
    assert.equal(parseDirectory(place(parseXxd(ENTRIES)), entries), 261);
    assert.deepEqual(entries, [
      { pid: 1, nextPosition: 260 },
      { pid: 2, nextPosition: 261 },
    ]);
  });
}

test("parseDirectory() takes no name for a PID that only begins as one", () => {
  const text = ENTRIES.replace("0431 0000 0000", "0431 7800 0000").replace("1...", "1x..");
  const entries: DirectoryEntry[] = [];
  parseDirectory(parseXxd(text), entries);
  assert.deepEqual(entries, [{ pid: 2, nextPosition: 261 }]);
});
