/**
 * What one look at so many CPUs costs when nothing is there: prints one JSON object. The same few ring buffers are opened
 * again and again to make up for CPUs that the machine lacks.
 */
import { openLibc } from "../../src/syscall/libc.ts";
import { Instance } from "../../src/tracefs/instance.ts";
import { openTracefs } from "../../src/tracefs/mount.ts";

const ROUNDS = 2000;
const libc = openLibc();
using tracefs = openTracefs({ libc });
const result: Record<string, number> = {};
for (const count of [2, 128]) {
  for (const how of ["node", "read", "poll"] as const) {
    const us = sweepUs(how, count);
    if (us !== undefined) result[`${how} ${count}`] = us;
  }
}
console.log(JSON.stringify(result));

/** CPU of one sweep in µs: a read of each by node:fs, a read of each by node:ffi, or one poll. */
function sweepUs(how: "node" | "read" | "poll", count: number): number | undefined {
  if (how !== "node" && libc === undefined) return undefined;
  using instance = Instance.create(tracefs, { bufferSizeKb: 8, libc: how === "node" ? undefined : libc });
  const cpus = instance.onlineCpus();
  const pipes = Array.from({ length: count }, (_, i) => instance.openCpu(cpus[i % cpus.length] ?? 0));
  const poll = how === "poll" ? libc?.pollSet(pipes.map(({ fd }) => fd)) : undefined;
  const page = new Uint8Array(new ArrayBuffer(65_536));
  const sweep = poll ? () => poll.poll() : () => pipes.reduce((sum, pipe) => sum + pipe.read(page), 0);
  for (let i = 0; i < ROUNDS / 10; i++) sweep();
  const before = process.cpuUsage();
  for (let i = 0; i < ROUNDS; i++) sweep();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / ROUNDS;
}
