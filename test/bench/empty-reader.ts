/**
 * Reads the pages of every CPU of a tracefs instance as the agent does, tick by tick, and throws them away: what the
 * kernel, Node and `node:ffi` take of an event before anyone looks at it. `empty-reader INSTANCE`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseHeaderPage } from "../../src/ring-buffer/page-layout.ts";
import { openLibc } from "../../src/syscall/libc.ts";
import { openCpuPipe } from "../../src/tracefs/cpu-pipe.ts";

/** As agent/live-source.ts has them. */
const [TICK_MS, PAGES_PER_TICK] = [50, 32];

const instance = process.argv[2] ?? "";
const libc = openLibc();
const pipes = readdirSync(join(instance, "per_cpu")).map((name) => {
  const cpu = Number(name.slice("cpu".length));
  return openCpuPipe(join(instance, "per_cpu", name, "trace_pipe_raw"), { cpu, libc });
});
const { pageSize } = parseHeaderPage(readFileSync(join(instance, "events/header_page"), "utf8"));
const page = new Uint8Array(new ArrayBuffer(pageSize));
const poll = libc?.pollSet(pipes.map(({ fd }) => fd));
process.on("SIGINT", () => process.exit(0));
tick();

function tick(): void {
  let left = Math.max(PAGES_PER_TICK, pipes.length);
  if (poll?.poll() !== 0) for (const pipe of pipes) while (left > 0 && pipe.read(page) > 0) left--;
  if (left > 0) setTimeout(tick, TICK_MS);
  else setImmediate(tick);
}
