import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openTracefs } from "../../src/tracefs/mount.ts";

const dir = mkdtempSync(join(tmpdir(), "tcpretrans-mount-"));
after(() => rmSync(dir, { recursive: true }));
mkdirSync(join(dir, "proc/self"), { recursive: true });
writeFileSync(join(dir, "proc/self/mountinfo"), "");
mkdirSync(join(dir, "empty"));
symlinkSync("loop", join(dir, "loop"));

for (const [what, name] of [
  ["a file", "proc/self/mountinfo"],
  ["a directory that is not there", "none"],
  ["an empty directory", "empty"],
] as const) {
  test(`openTracefs() says that there is no tracefs at ${what}`, () => {
    const path = join(dir, name);
    const message = `Cannot use tracefs: nothing is in it at ${path}`;
    assert.throws(() => openTracefs({ path }), { name: "SetupError", code: "no-tracefs", message });
  });
}

test("openTracefs() says what the kernel says of a path that it cannot open", () => {
  const path = join(dir, "loop");
  const message = `Cannot open tracefs at ${path}: the kernel says ELOOP`;
  assert.throws(() => openTracefs({ path }), { name: "SetupError", code: "instance", message });
});

test("openTracefs() says that it has no place to mount at, as in a container with a read-only root", (t) => {
  const { TMPDIR } = process.env;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
  });
  process.env["TMPDIR"] = join(dir, "none");
  assert.throws(() => openTracefs({ procRoot: join(dir, "proc"), sysRoot: join(dir, "none") }), {
    name: "SetupError",
    code: "no-tracefs",
    message: `Cannot mount tracefs: ${dir}/none/kernel/tracing is not there, and no directory can be made for it (ENOENT)`,
  });
});
