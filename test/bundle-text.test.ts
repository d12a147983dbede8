import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { bundle } from "../scripts/bundle.ts";

test("bundle() writes no character for which V8 would keep a whole file's text in two bytes each", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "bundle-text-"));
  t.after(() => rmSync(directory, { recursive: true }));
  await bundle({ tcpretrans: join(import.meta.dirname, "../src/main.ts") }, directory);
  const files = readdirSync(directory).filter((name) => name.endsWith(".js"));
  assert.ok(files.length > 10, `${files.length} files`);
  for (const file of files) {
    const [wide] = /.{0,40}[^\0-\xff].{0,40}/u.exec(readFileSync(join(directory, file), "utf8")) ?? [];
    assert.equal(wide, undefined, `${file}: give it to html\`\` as a value, or escape it`);
  }
});
