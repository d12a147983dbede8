import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { openLibc } from "../../src/syscall/libc.ts";
import { parseProgramMappings } from "../../src/syscall/program-pages.ts";

/** As the kernel writes it (6.18), without the lines that say nothing here. */
function mapping(line: string, { anonymous = 0, swap = 0 } = {}): string {
  const kb = (name: string, size: number) => `${name}:`.padEnd(16) + `${size} kB\n`.padStart(12);
  const sizes = [kb("Size", 42_476), kb("Rss", 29_468), kb("Anonymous", anonymous), kb("KSM", 0)];
  return `${line}\n${sizes.join("")}${kb("Swap", swap)}${kb("SwapPss", swap)}VmFlags: rd ex mr mw me \n`;
}

const NODE = "/usr/bin/node";
const TEXT = `00e80000-037f7000 r-xp 00a7f000 fe:00 1234                         ${NODE}`;
const RODATA = `00400000-00e7f000 r--p 00000000 fe:00 1234                         ${NODE}`;

test("parseProgramMappings() takes what is read and run of files", () => {
  assert.deepEqual(parseProgramMappings(mapping(RODATA) + mapping(TEXT)), [
    { address: 0x40_0000n, length: 0xa7_f000n },
    { address: 0xe8_0000n, length: 0x297_7000n },
  ]);
});

const KEPT = [
  { name: "what may be written to", text: mapping(TEXT.replace("r-xp", "rw-p")) },
  { name: "what may be written to and run", text: mapping(TEXT.replace("r-xp", "rwxp")) },
  { name: "what is shared", text: mapping(TEXT.replace("r-xp", "r--s")) },
  { name: "relocations", text: mapping(RODATA, { anonymous: 20 }) },
  { name: "relocations in swap", text: mapping(RODATA, { swap: 4 }) },
  { name: "memory of no file", text: mapping("7f2c00000000-7f2c00021000 r--p 00000000 00:00 0 ") },
  { name: "the kernel's", text: mapping("7ffd1b5f2000-7ffd1b5f4000 r-xp 00000000 00:00 0          [vdso]") },
];
for (const { name, text } of KEPT) {
  test(`parseProgramMappings() leaves ${name}`, () => assert.deepEqual(parseProgramMappings(text), []));
}

test("unmapProgram() halves what is resident of the program, which runs on", {
  skip: openLibc() === undefined,
}, () => {
  const module = (path: string) => JSON.stringify(new URL(`../../src/syscall/${path}`, import.meta.url).href);
  const script = `
    import { readFileSync } from "node:fs";
    import { openLibc } from ${module("libc.ts")};
    import { unmapProgram } from ${module("program-pages.ts")};
    const files = () => Number(/RssFile:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "latin1"))[1]);
    const before = files();
    unmapProgram(openLibc());
    const after = files();
    for (let i = 0; i < 3; i++) unmapProgram(openLibc());
    gc();
    console.log(JSON.stringify({ before, after, sum: Array.from({ length: 1e5 }, (_, i) => i).reduce((a, b) => a + b) }));`;
  const flags = ["--disable-warning=ExperimentalWarning", "--expose-gc", "--input-type=module", "-e"];
  const told = JSON.parse(execFileSync(process.execPath, [...flags, script], { encoding: "utf8" }));
  assert.equal(told.sum, 4_999_950_000);
  assert.ok(told.after < told.before / 2, `${told.before} KiB before, ${told.after} after`);
});
