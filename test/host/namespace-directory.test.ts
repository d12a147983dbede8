import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { NamespaceDirectory } from "../../src/host/namespace-directory.ts";

/** A directory of links in place of mounts: where one leads to can change, as a mount can, without its directory. */
function makeDirectory(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), "netns-"));
  t.after(() => rmSync(root, { recursive: true }));
  const path = join(root, "netns");
  mkdirSync(path);
  const add = (name: string) => symlinkSync(join(root, name), join(path, name));
  const lead = (name: string, content: string) => {
    writeFileSync(join(root, `${name}-${content}`), content);
    rmSync(join(root, name), { force: true });
    symlinkSync(join(root, `${name}-${content}`), join(root, name));
    return statSync(join(root, name)).ino;
  };
  /** Two changes in one tick of the kernel's clock have one time. */
  const age = (seconds: number) => utimesSync(path, seconds, seconds);
  const directory = new NamespaceDirectory(path);
  const read = (nowMs: number, thorough = false) => Object.fromEntries(directory.read(nowMs, { thorough }));
  return { path, add, lead, read, age };
}

test("NamespaceDirectory.read() finds a name that has come or gone at once", (t) => {
  const { path, add, lead, read, age } = makeDirectory(t);
  assert.deepEqual(read(0), {});
  const a = lead("a", "1");
  add("a");
  assert.deepEqual(read(1_000), { [a]: "a" });
  age(1);
  read(2_000);
  read(20_000);
  const b = lead("b", "1");
  add("b");
  assert.deepEqual(read(20_001), { [a]: "a", [b]: "b" });
  age(2);
  read(21_000);
  read(40_000);
  rmSync(join(path, "a"));
  assert.deepEqual(read(40_001), { [b]: "b" });
  rmSync(path, { recursive: true });
  assert.deepEqual(read(40_002), {});
});

test("NamespaceDirectory.read() finds what is mounted on a new name in the next ten seconds, and on an old one after five, or when asked to", (t) => {
  const { add, lead, read } = makeDirectory(t);
  const first = lead("a", "1");
  add("a");
  assert.deepEqual(read(0), { [first]: "a" });
  const second = lead("a", "2");
  assert.deepEqual(read(9_999), { [second]: "a" });
  const third = lead("a", "3");
  assert.deepEqual(read(14_998), { [second]: "a" }, "nothing says that it has changed");
  assert.deepEqual(read(14_999), { [third]: "a" });
  const fourth = lead("a", "4");
  assert.deepEqual(read(15_000), { [third]: "a" });
  assert.deepEqual(read(15_001, true), { [fourth]: "a" });
});
