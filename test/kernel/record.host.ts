import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { LossyLink } from "../support/lossy-link.ts";
import { Program, type ProgramOptions } from "../support/program.ts";

const directory = mkdtempSync(join(tmpdir(), "tcpretrans-test-"));
const file = join(directory, "live.rec");
const NOBODY = ["setpriv", "--reuid", "65534", "--clear-groups"];
/** How far two programs' readings of the wall clock may lie apart, in ns. */
const CLOCK_NANOS = 2_000_000n;
const KINDS = ["ipv4", "ipv6", "mapped"] as const;

type Row = Readonly<Record<string, unknown>>;

let own: readonly string[];
let liveJson: readonly string[];
let liveTable: readonly string[];

before(async () => {
  await using link = await LossyLink.open({
    ports: [7001],
    atServer: ["tcp dport 7001 meta length > 200 numgen random mod 100 < 8 drop"],
  });
  own = link.ranges.flatMap((range) => ["--local", range]);
  await using recording = await Program.tracing(["record", file], { env: { TZ: "Asia/Kathmandu" } });
  await using json = await Program.tracing(["--json", "-l", "-s", ...own]);
  await using table = await Program.tracing(["--wide", "-l", ...own], {
    env: { TZ: "Asia/Kathmandu", TCPRETRANS_NO_FFI: "1" },
  });
  const host = (kind: (typeof KINDS)[number]) => link.address(kind);
  await Promise.all(
    KINDS.map((kind) => link.ask({ host: host(kind), port: 7001, connections: 3, bytes: 100_000 })),
  );
  await link.quiet();
  for (const program of [recording, json, table]) {
    assert.deepEqual(await program.stop(), { code: 0, signal: null });
  }
  [liveJson, liveTable] = [json.lines, table.lines];
});

after(() => rmSync(directory, { recursive: true }));

async function replay(args: readonly string[], options?: ProgramOptions): Promise<readonly string[]> {
  await using program = new Program(["replay", ...args, ...own, file], options);
  assert.deepEqual(await program.ended, { code: 0, signal: null });
  assert.doesNotMatch(program.stderr, /^(Lost|Gaps|Not decoded|The recording)/m);
  return program.lines;
}

function nanosOf(row: Row): bigint {
  const [, seconds = "", fraction = ""] = /^(.*)\.(\d{9})Z$/.exec(String(row[KEYS.timestamp])) ?? [];
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction);
}

/** A row without its time: it is the kernel's, but each program reads by itself how far that is from the wall clock's. */
function content(row: Row): string {
  const { [KEYS.timestamp]: _time, ...rest } = row;
  return JSON.stringify(rest);
}

test("tcpretrans replay --json gives what the live trace gave, stacks included", async () => {
  const [live, replayed] = [liveJson, await replay(["--json", "-l", "-s"])].map((lines): readonly Row[] =>
    lines.map((line) => JSON.parse(line)),
  );
  assert.ok(live!.length > 10);
  assert.deepEqual(replayed!.map(content).sort(), live!.map(content).sort());
  for (const [index, row] of live!.entries()) {
    const apart = nanosOf(row) - nanosOf(replayed![index]!);
    assert.ok(apart < CLOCK_NANOS && apart > -CLOCK_NANOS, `${apart} ns apart`);
  }
});

test("tcpretrans replay prints the live trace's table, in the time zone of the recording, to anyone", async () => {
  const texts = await Promise.all([
    replay(["--wide", "-l"], { env: { TZ: "America/New_York" } }),
    replay(["--wide", "-l"], { env: { TZ: "UTC", TCPRETRANS_NO_FFI: "1" } }),
  ]);
  assert.deepEqual(texts[0], texts[1]);
  const withoutTime = (lines: readonly string[]) =>
    lines.map((line) => line.replace(/^\d\d:\d\d:\d\d/, "")).sort();
  assert.deepEqual(withoutTime(texts[0]!), withoutTime(liveTable));
  // Events in a second's last microseconds may show another second.
  const sameTime = texts[0]!.filter((line, index) => line.slice(0, 8) === liveTable[index]?.slice(0, 8));
  assert.ok(sameTime.length > texts[0]!.length / 2, "another time zone");
});

test("tcpretrans replay needs no privilege to read a file that may be read", async () => {
  assert.equal(statSync(file).mode & 0o777, 0o600, "a recording is its owner's");
  chmodSync(directory, 0o755);
  chmodSync(file, 0o644);
  assert.deepEqual(
    await replay(["--json", "-l", "-s"], { through: NOBODY }),
    await replay(["--json", "-l", "-s"]),
  );
});
