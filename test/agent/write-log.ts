/** Writes so many lines of 1 kB to standard output, whatever becomes of them; standard error says how that went. */
import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { openBoundedOutput } from "../../src/agent/bounded-output.ts";
import { pinoEntries } from "../../src/agent/log-writers.ts";

const output = openBoundedOutput(process.stdout);
const entry = pinoEntries({ write: output.write, unixMs: Date.now });
let waiting = 0;
for (let left = Number(process.argv[2]); left > 0; left -= 100) {
  for (let i = 0; i < 100; i++) {
    entry({ level: "info", component: "test", message: "x".repeat(1000), repeated: 0, cause: undefined });
    waiting = Math.max(waiting, process.stdout.writableLength);
  }
  await setTimeout(10);
}
const start = performance.now();
await output.drained(2000);
const drainMs = performance.now() - start;
writeSync(2, JSON.stringify({ lost: output.lost, closed: output.closed, waiting, drainMs }));
process.exit(0);
