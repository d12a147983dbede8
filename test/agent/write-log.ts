/** Writes a log to standard output for a second, whatever becomes of it; standard error says how that went. */
import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { openBoundedOutput } from "../../src/agent/bounded-output.ts";
import { pinoEntries } from "../../src/agent/log-writers.ts";

const output = openBoundedOutput(process.stdout);
const entry = pinoEntries({ write: output.write, unixMs: Date.now });
let waiting = 0;
for (let tick = 0; tick < 50; tick++) {
  for (let i = 0; i < 100; i++) {
    entry({ level: "info", component: "test", message: "x".repeat(1000), repeated: 0, cause: undefined });
    waiting = Math.max(waiting, process.stdout.writableLength);
  }
  await setTimeout(10);
}
writeSync(2, JSON.stringify({ lost: output.lost, closed: output.closed, waiting }));
process.exit(0);
