import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "./markdown.ts";

const TEXT = `# What it *is*, and \`x\`
See [a](docs/a.md#b) and ![c](c.png), not \`[d](d)\`.
## What it is
<!-- not run: needs root -->
\`\`\`console
$ [e](e) \`f\`
\`\`\`
## What it is
\`\`\`sh
g
\`\`\`
`;

test("parseDocument() finds links, anchors, codes and blocks, and nothing in blocks", () => {
  const { links, anchors, codes, fences } = parseDocument("a.md", TEXT);
  assert.deepEqual(links, [
    { line: 2, target: "docs/a.md#b" },
    { line: 2, target: "c.png" },
  ]);
  assert.deepEqual([...anchors], ["what-it-is-and-x", "what-it-is", "what-it-is-1"]);
  assert.deepEqual(codes, [
    { line: 1, text: "x" },
    { line: 2, text: "[d](d)" },
  ]);
  assert.deepEqual(fences, [
    { tag: "console", line: 6, lines: ["$ [e](e) `f`"], notRun: "needs root" },
    { tag: "sh", line: 10, lines: ["g"], notRun: undefined },
  ]);
});

test("parseDocument() throws on a block without an end", () => {
  assert.throws(() => parseDocument("a.md", "```sh\nls\n"), /^SyntaxError: a\.md:2: /);
});
