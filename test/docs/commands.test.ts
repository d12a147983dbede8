import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { problemsOf } from "./command-problems.ts";
import { commandsOf, type DocumentedCommand, isOutput, programsOf } from "./commands.ts";
import { ROOT, readDocuments } from "./markdown.ts";

/** Commands of documents that are run here, each with its exit code. All others are marked `<!-- not run: why -->`. */
const RUN: Readonly<Record<string, number>> = {
  "tcpretrans agent --config agent.yaml --http-port 70000 --check-config": 2,
  "tcpretrans agent --config examples/agent.yaml --check-config": 0,
  "tcpretrans agent --otlp-endpoint http://collector:4317 --print-config": 0,
  "tcpretrans replay -l --wide --port 5204 storm.rec": 0,
  "tcpretrans replay storm.rec --summary": 0,
  "tcpretrans replay --json --type timeout --count 1 storm.rec": 0,
};

/** What they find in their directory. */
const FILES: Readonly<Record<string, string>> = {
  "agent.yaml": "kubernetes:\n  scope: node\nmetrics:\n  interval: 5\n",
};

/** What a block of code may be: the rest is text of which nothing is to be run. */
const TAGS = ["sh", "console", "text", "yaml", "json", "promql", "logql", "esql", "sql"];

const DOCUMENTS = readDocuments();
const directory = makeDirectory();
after(() => rmSync(directory, { recursive: true }));

for (const { file, fences } of DOCUMENTS) {
  const blocks = fences.filter(({ tag }) => tag === "sh" || tag === "console");

  test(`${file} has no block of code without a known tag`, () => {
    const unknown = fences.filter(({ tag }) => !TAGS.includes(tag)).map(({ line }) => line);
    assert.deepEqual(unknown, []);
  });

  for (const { command, output, line } of blocks
    .filter(({ notRun }) => notRun === undefined)
    .flatMap(commandsOf))
    test(`${file}:${line} prints what it says: ${command}`, () => runCommand({ command, output, line }));

  test(`${file} gives commands that exist, with flags, scripts, values and files that exist`, () => {
    const problems = blocks.flatMap(problemsOf);
    assert.deepEqual(problems, []);
  });
}

test("RUN has no command that no document has", () => {
  const all = DOCUMENTS.flatMap(({ fences }) => fences.flatMap((fence) => commandsOf(fence)));
  const written = new Set(all.map(({ command }) => command));
  assert.deepEqual(
    Object.keys(RUN).filter((command) => !written.has(command)),
    [],
  );
});

const OUTPUTS = [
  { shown: [], printed: [], is: true },
  { shown: ["a"], printed: [], is: false },
  { shown: ["a", "…", "c"], printed: ["a", "b", "b", "c"], is: true },
  { shown: ["a", "…"], printed: ["a", "b"], is: true },
  { shown: ["a", "…", "d"], printed: ["a", "b", "c"], is: false },
  { shown: ["a"], printed: ["a", "b"], is: false },
];
for (const { shown, printed, is } of OUTPUTS)
  test(`isOutput() takes ${printed} for ${shown}: ${is}`, () => assert.equal(isOutput(shown, printed), is));

test("commandsOf() joins continued lines and leaves remarks out", () => {
  const lines = ["# a remark", "a b \\", "  --c d   # why", "", "e"];
  const commands = commandsOf({ tag: "sh", line: 1, lines, notRun: undefined });
  assert.deepEqual(
    commands.map(({ command }) => command),
    ["a b --c d", "e"],
  );
  assert.deepEqual(programsOf("sudo A=1 a 'b c' && npx d | e"), [["a", "b c"], ["d"], ["e"]]);
});

function runCommand({ command, output }: DocumentedCommand): void {
  const code = RUN[command];
  assert.notEqual(code, undefined, `nothing runs it: add it to RUN, or mark its block <!-- not run: why -->`);
  const { status, stdout } = spawnSync("sh", ["-c", `${command} 2>&1`], {
    cwd: directory,
    encoding: "utf8",
    env: { PATH: `${directory}/bin:/usr/bin:/bin`, TZ: "UTC" },
  });
  assert.equal(status, code, stdout);
  const printed = stdout.trimEnd().split("\n");
  if (output.length > 0) assert.ok(isOutput(output, printed), stdout);
}

/** A place like a reader's: the program on the path, the project's files, and a recording. */
function makeDirectory(): string {
  const made = mkdtempSync(join(tmpdir(), "tcpretrans-docs-"));
  const node = `"${process.execPath}" --disable-warning=ExperimentalWarning`;
  mkdirSync(join(made, "bin"));
  writeFileSync(
    join(made, "bin/tcpretrans"),
    `#!/bin/sh\nexec ${node} "${join(ROOT, "src/main.ts")}" "$@"\n`,
    {
      mode: 0o755,
    },
  );
  symlinkSync(join(ROOT, "examples"), join(made, "examples"));
  copyFileSync(join(ROOT, "test/fixtures/recordings/6.12.rec"), join(made, "storm.rec"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(made, name), text);
  return made;
}
