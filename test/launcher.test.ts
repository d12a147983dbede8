import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NODE_FLAGS } from "../scripts/node-flags.ts";
import { Program, TCPRETRANS } from "./support/program.ts";

/** Between the program and the file that it runs. */
function flagsOf(line: string, [from, to]: readonly [string, string]): readonly string[] {
  const start = line.indexOf(from) + from.length;
  return line.slice(start, line.indexOf(to, start)).match(/--[\w=-]+/g) ?? [];
}

test("NODE_FLAGS are what bin/tcpretrans and the image start Node with", () => {
  const line = (path: string, start: string) =>
    readFileSync(path, "utf8")
      .split("\n")
      .find((text) => text.startsWith(start)) ?? "";
  const own = flagsOf(line(TCPRETRANS, "exec "), ['"$node"', '"$main"']);
  assert.deepEqual(own, NODE_FLAGS);
  const image = join(import.meta.dirname, "../Dockerfile");
  assert.deepEqual(flagsOf(line(image, "ENTRYPOINT "), ["/usr/bin/node", ".js"]), own);
});

test("bin/tcpretrans opens no inspector on SIGUSR1", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "launcher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const fifo = join(directory, "recording");
  execFileSync("mkfifo", [fifo]);
  await using program = new Program(["replay", fifo]);
  await using _writer = await open(fifo, "w"); // waits for the reader
  const status = readFileSync(`/proc/${program.child.pid}/status`, "utf8");
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1]}`);
  assert.equal((caught >> BigInt(constants.signals.SIGUSR1 - 1)) & 1n, 0n);
});
