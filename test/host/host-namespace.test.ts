import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { findHostNamespace } from "../../src/host/host-namespace.ts";

/** A /proc of the given files; those of one content are the same inode, as those of one namespace are. */
function procOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "namespace-"));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, content), "");
    symlinkSync(join(root, content), join(root, path));
  }
  return root;
}

test("findHostNamespace() knows that this process shares process 1's", (t) => {
  const procRoot = procOf(t, { "1/net/dev": "host", "self/net/dev": "host" });
  assert.deepEqual(findHostNamespace({ procRoot }), { kind: "own" });
});

test("findHostNamespace() takes any process of the same namespace that it may look at", (t) => {
  const procRoot = procOf(t, {
    "1/net/dev": "host",
    "self/net/dev": "pod",
    "20/net/dev": "pod",
    "20/ns/net": "pod",
    "30/net/dev": "host",
    "40/net/dev": "host",
    "40/ns/net": "host",
  });
  assert.deepEqual(findHostNamespace({ procRoot }), { kind: "other", path: `${procRoot}/40/ns/net` });
});

test("findHostNamespace() gives hidden where no such process may be looked at, or there is no process 1", (t) => {
  const files = { "self/net/dev": "pod", "30/net/dev": "host", "20/net/dev": "pod", "20/ns/net": "pod" };
  assert.deepEqual(findHostNamespace({ procRoot: procOf(t, files) }), { kind: "hidden" });
  const procRoot = procOf(t, { ...files, "1/net/dev": "host" });
  assert.deepEqual(findHostNamespace({ procRoot }), { kind: "hidden" });
});

test("findHostNamespace() works on the real /proc", () => {
  assert.notEqual(findHostNamespace({ procRoot: "/proc" }).kind, "hidden");
});
