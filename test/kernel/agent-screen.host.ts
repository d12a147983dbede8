import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT, readDocuments } from "../docs/markdown.ts";
import { findInstance } from "../support/program.ts";

/** What a start may take on a busy machine, and the demonstration until each kind of row has come. */
const PATIENCE_MS = 60_000;
const CTRL_C = "\x03";
/** Rows of a small terminal. */
const SCREEN = 24;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
const COLOURS = /\x1b\[[\d;]*m/g;

/** A command on a terminal of its own, as a person has it. */
function onTerminal(command: string) {
  const child = spawn("script", ["-qfec", `exec ${command}`, "/dev/null"], {
    cwd: ROOT,
    env: { ...process.env, TCPRETRANS_NODE: process.execPath },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => (text += more));
  const lines = () => text.replaceAll(COLOURS, "").split("\r\n");
  return {
    lines,
    ended: once(child, "close").then(([code]) => code),
    type: (keys: string) => child.stdin.write(keys),
    /** The program itself. */
    pid: () => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")),
    async shows(what: RegExp) {
      for (const giveUp = performance.now() + PATIENCE_MS; !lines().some((line) => what.test(line)); ) {
        if (performance.now() > giveUp) throw new Error(`Never shown: ${what} in\n${text}`);
        await sleep(50);
      }
    },
  };
}

/** What README.md shows of `npm start`: its words, and below them its rows. */
function documented(): readonly string[] {
  const fences = readDocuments().find(({ file }) => file === "README.md")?.fences ?? [];
  const lines = fences.find(({ lines: [first = ""] }) => first.includes("runs on this node"))?.lines;
  assert.ok(lines !== undefined);
  return lines;
}

function namespacesOf(pid: number): readonly string[] {
  return readdirSync("/run/netns").filter((name) => name.startsWith(`tcpretrans-demo-${pid}-`));
}

test("npm start says on one screen what runs, where, and how to go on; rows follow, and Ctrl-C leaves nothing", async () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const terminal = onTerminal(`${scripts.start} --http-port 0 --node-name screen`);
  try {
    for (const row of [/ R> .* timeout /, / R> .* syn /, / L> .* tail_loss_probe /])
      await terminal.shows(row);
    const lines = terminal.lines().map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:9464"));
    const shown = documented();
    const header = shown.findIndex((line) => line.startsWith("TIME"));
    assert.ok(header > 0);
    for (const words of shown.slice(0, header + 1)) assert.ok(lines.includes(words), words);
    assert.match(lines[0] ?? "", /^This is a demonstration: /);
    assert.ok(lines.indexOf(shown[header] ?? "") < SCREEN, "rows begin below the first screen");

    const [url = ""] = /http:\/\/127\.0\.0\.1:\d+\//.exec(terminal.lines().join("\n")) ?? [];
    for (const path of ["", "metrics", "readyz", "livez"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 200, path);
      await response.text();
    }
    const pid = terminal.pid();
    const instance = findInstance(pid);
    assert.ok(instance !== undefined && existsSync(instance));
    assert.equal(namespacesOf(pid).length, 2);
    terminal.type(CTRL_C);
    assert.equal(await terminal.ended, 0);
    assert.ok(!existsSync(instance));
    assert.deepEqual(namespacesOf(pid), []);
  } finally {
    terminal.type(CTRL_C);
  }
});
