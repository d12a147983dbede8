import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ProcessList } from "../../src/host/process-list.ts";
import { openLibc } from "../../src/syscall/libc.ts";

const libc = openLibc();

async function start(t: TestContext): Promise<ChildProcess> {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  return child;
}

/** A list, and looks at it as whoever has followed it so far. */
function follow(t: TestContext, procRoot: string) {
  const list = new ProcessList({ procRoot, libc });
  t.after(() => list[Symbol.dispose]());
  const known = new Set<number>();
  const look = (nowMs: number, isWhole = false) => {
    const seen = list.look(nowMs, { isWhole, isKnown: (pid) => known.has(pid) });
    const gone = seen.isWhole ? [...known].filter((pid) => !seen.pids.includes(pid)) : [];
    for (const pid of gone) known.delete(pid);
    for (const pid of seen.pids) known.add(pid);
    return seen;
  };
  return { known, look };
}

test("ProcessList.look() gives all first, and from then on misses nobody who comes or goes", async (t) => {
  const { known, look } = follow(t, "/proc");
  assert.ok(look(0).isWhole);
  assert.ok(known.has(process.pid) && known.has(1));
  for (let i = 0; i < 20; i++) {
    const children = await Promise.all([start(t), start(t)]);
    look(1);
    for (const { pid } of children) assert.ok(known.has(pid!));
    const ended = children.map((child) => once(child, "exit"));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ended);
    look(1);
    for (const { pid } of children) assert.ok(!known.has(pid!));
  }
});

test("ProcessList.look() gives those alone that have come where nobody has gone, and all again when it is time", {
  skip: libc === undefined && "this Node has no node:ffi",
}, async (t) => {
  const { known, look } = follow(t, "/proc");
  look(0);
  let child: ChildProcess;
  // Others come and go on this machine too.
  for (;;) {
    child = await start(t);
    const { pids, isWhole } = look(1);
    assert.ok(pids.includes(child.pid!));
    if (!isWhole) break;
  }
  assert.ok(known.has(process.pid));
  assert.ok(look(2, true).isWhole, "asked for");
  assert.ok(look(6_000).isWhole, "it is time");
});

test("ProcessList.look() lists a directory that is no /proc as a whole each time", (t) => {
  const procRoot = mkdtempSync(join(tmpdir(), "processes-"));
  t.after(() => rmSync(procRoot, { recursive: true }));
  for (const name of ["1", "60", "self", "sys"]) mkdirSync(join(procRoot, name));
  const { look } = follow(t, procRoot);
  for (let i = 0; i < 3; i++) {
    const { pids, isWhole } = look(i);
    assert.deepEqual({ pids: pids.toSorted((a, b) => a - b), isWhole }, { pids: [1, 60], isWhole: true });
  }
});
