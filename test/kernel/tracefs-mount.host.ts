import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openLibc } from "../../src/syscall/libc.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";
import { parseTracefsMounts } from "../../src/tracefs/mountinfo.ts";

/** A root in which no tracefs is to be found, with or without the usual directory. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "roots-"));
  mkdirSync(join(root, "proc/self"), { recursive: true });
  writeFileSync(join(root, "proc/self/mountinfo"), "");
});
afterEach(() => rmSync(root, { recursive: true }));
const roots = () => ({ procRoot: join(root, "proc"), sysRoot: join(root, "sys") });

const mounts = () => parseTracefsMounts(readFileSync("/proc/self/mountinfo", "utf8")).map(({ path }) => path);
const withFfi = openLibc();
const MEANS = [
  { name: "with mount(2)", libc: withFfi, skip: withFfi === undefined ? "this Node has no node:ffi" : false },
  { name: "with the mount command", libc: undefined, skip: false },
];

for (const { name, libc, skip } of MEANS) {
  test(`openTracefs() ${name} mounts at the usual directory and unmounts`, { skip }, () => {
    const usual = join(root, "sys/kernel/tracing");
    mkdirSync(usual, { recursive: true });
    const tracefs = openTracefs({ ...roots(), libc });
    assert.equal(tracefs.path, usual);
    assert.equal(tracefs.mountedHere, true);
    assert.ok(existsSync(join(usual, "instances")));
    assert.match(
      execFileSync("grep", [usual, "/proc/self/mountinfo"], { encoding: "utf8" }),
      /nosuid,nodev,noexec/,
    );
    tracefs[Symbol.dispose]();
    tracefs[Symbol.dispose]();
    assert.deepEqual(readdirSync(usual), []);
  });

  test(`openTracefs() ${name} mounts at a directory of its own where there is none`, { skip }, () => {
    const tracefs = openTracefs({ ...roots(), libc });
    assert.ok(mounts().includes(tracefs.path));
    tracefs[Symbol.dispose]();
    assert.equal(existsSync(tracefs.path), false);
    assert.equal(mounts().includes(tracefs.path), false);
  });

  test(`openTracefs() ${name} finds a mount and leaves it there`, { skip }, () => {
    using first = openTracefs({ ...roots(), libc });
    writeFileSync(join(root, "proc/self/mountinfo"), `1 2 0:7 / ${first.path} rw - tracefs tracefs rw\n`);
    const second = openTracefs({ ...roots(), libc });
    assert.equal(second.path, first.path);
    assert.equal(second.mountedHere, false);
    second[Symbol.dispose]();
    assert.ok(existsSync(join(first.path, "instances")));
  });

  test(`openTracefs() ${name} passes over a directory in which there is nothing`, { skip }, () => {
    const empty = join(root, "empty");
    mkdirSync(empty);
    writeFileSync(
      join(root, "proc/self/mountinfo"),
      `1 2 0:7 / ${empty} rw - tracefs tracefs rw\n1 2 0:7 / ${root}/none rw - tracefs tracefs rw\n`,
    );
    using tracefs = openTracefs({ ...roots(), libc });
    assert.notEqual(tracefs.path, empty);
    assert.equal(tracefs.mountedHere, true);
  });

  test(`openTracefs() ${name} goes elsewhere when the usual directory is taken unseen`, { skip }, () => {
    const usual = join(root, "sys/kernel/tracing");
    mkdirSync(usual, { recursive: true });
    using first = openTracefs({ ...roots(), libc });
    assert.equal(first.path, usual);
    using second = openTracefs({ ...roots(), libc });
    assert.notEqual(second.path, usual);
    assert.ok(existsSync(join(second.path, "instances")));
  });

  test(`openTracefs() ${name} leaves its mount while another process works in it`, { skip }, () => {
    const usual = join(root, "sys/kernel/tracing");
    mkdirSync(usual, { recursive: true });
    const tracefs = openTracefs({ ...roots(), libc });
    const other = openSync(join(usual, "README"), "r");
    tracefs[Symbol.dispose]();
    assert.ok(existsSync(join(usual, "instances")));
    closeSync(other);
    execFileSync("umount", [usual]);
  });
}

test("openTracefs() takes over the mount of a process that was killed, and unmounts it", {
  skip: withFfi === undefined,
}, () => {
  const left = mkdtempSync(join(tmpdir(), "tcpretrans-tracefs-"));
  withFfi?.mount("tcpretrans", left, "tracefs");
  writeFileSync(join(root, "proc/self/mountinfo"), `1 2 0:7 / ${left} rw - tracefs tcpretrans rw\n`);
  const tracefs = openTracefs({ ...roots(), libc: withFfi });
  assert.equal(tracefs.path, left);
  assert.equal(tracefs.mountedHere, true);
  tracefs[Symbol.dispose]();
  assert.equal(existsSync(left), false);
});

test("openTracefs() says to run it as root to whoever is not", () => {
  const module = new URL("../../src/tracefs/mount.ts", import.meta.url).href;
  const code = `process.setgid(65534); process.setuid(65534);
    const { openTracefs } = await import(${JSON.stringify(module)});
    try { openTracefs(); } catch (error) { console.log(error.name, error.code, error.message, "|", error.remedy); }`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  assert.match(
    said,
    /^SetupError not-root Cannot (mount|open) tracefs.*: not root \(E(PERM|ACCES)\) \| Run it as root/,
  );
});
