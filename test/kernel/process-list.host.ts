import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** In a PID namespace of its own: starts a process behind each of these PIDs, looks after each, and prints which was found. */
const LOOK = `
  const { spawn } = await import("node:child_process");
  const { once } = await import("node:events");
  const { writeFileSync } = await import("node:fs");
  const { ProcessList } = await import(${source("host/process-list.ts")});
  const { openLibc } = await import(${source("syscall/libc.ts")});
  const list = new ProcessList({ procRoot: "/proc", libc: openLibc() });
  const known = new Set();
  const look = () => {
    for (const pid of list.look(0, { isWhole: false, isKnown: (pid) => known.has(pid) }).pids) known.add(pid);
  };
  look();
  const found = [];
  for (const last of JSON.parse(process.env.LAST_PIDS)) {
    writeFileSync("/proc/sys/kernel/ns_last_pid", String(last));
    const child = spawn("sleep", ["1000"], { stdio: "ignore" });
    await once(child, "spawn");
    look();
    found.push([child.pid > last, known.has(child.pid)]);
  }
  console.log(JSON.stringify(found));
  process.exit();`;

test("ProcessList.look() finds who comes after the PIDs have begun anew", () => {
  const lastPids = [30_000, 30_010, 300, 310, 30_020, 400, 401, 20_000];
  const node = [process.execPath, "--disable-warning=ExperimentalWarning", "--input-type=module", "-e", LOOK];
  const env = { ...process.env, LAST_PIDS: JSON.stringify(lastPids) };
  const args = ["--pid", "--fork", "--kill-child", "--mount-proc", ...node];
  const found = JSON.parse(execFileSync("unshare", args, { env, encoding: "utf8" }));
  assert.deepEqual(
    found,
    lastPids.map(() => [true, true]),
  );
});
