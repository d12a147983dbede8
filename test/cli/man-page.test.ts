import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formatManPage } from "../../scripts/man-page.ts";
import { roffText } from "../../scripts/roff.ts";
import { commandLine } from "../../src/cli/command-line.ts";
import { formatExitCodes } from "../../src/cli/exit-codes.ts";

const PAGE = join(import.meta.dirname, "../../man/tcpretrans.8");
const page = readFileSync(PAGE, "utf8");
const groff = spawnSync("groff", ["--version"]).status === 0;

test("man/tcpretrans.8 is what `npm run generate:man` writes", () => {
  assert.equal(page, formatManPage());
});

for (const word of ["trace", "record", "replay", "doctor", "agent"] as const) {
  test(`formatManPage() has every option that the help of ${word} shows`, () => {
    const command = commandLine(word, { problems: [], flags: new Map() });
    const help = command.createHelp();
    for (const option of help.visibleOptions(command)) {
      assert.ok(page.includes(roffText(help.optionTerm(option))), option.flags);
    }
  });
}

test("formatManPage() has every exit code", () => {
  for (const line of formatExitCodes().split("\n")) {
    const [, code = "", meaning = ""] = /^ {2}(\d) {2}(.*)$/.exec(line) ?? [];
    assert.ok(page.includes(`.B ${code}\n${roffText(meaning)}\n`), line);
  }
});

const cases = [
  { text: "--no-…", roff: "\\-\\-no\\-..." },
  { text: "a\\b 'c' `d`", roff: "a\\eb \\(aqc\\(aq \\(gad\\(ga" },
  { text: ".TH", roff: "\\&.TH" },
];
for (const { text, roff } of cases)
  test(`roffText() writes ${text} as text`, () => assert.equal(roffText(text), roff));

test("man/tcpretrans.8 is set without a warning", {
  skip: groff || process.env["CI"] === "true" ? false : "no groff",
}, () => {
  const { status, stderr } = spawnSync("groff", ["-ww", "-man", "-z", "-Tutf8", PAGE], { encoding: "utf8" });
  assert.deepEqual([status, stderr], [0, ""]);
});
