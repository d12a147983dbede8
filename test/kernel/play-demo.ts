import assert from "node:assert/strict";
import { once } from "node:events";
import { startDemo } from "../../src/cli/demo.ts";
import { runDemoTraffic } from "../../src/cli/demo-traffic.ts";
import { parseOptions } from "../../src/cli/options.ts";

/** Runs a demonstration until its standard input is closed, and plays the parts of it when called by itself. */
const command = parseOptions(process.argv.slice(2), process.env);
if (command.kind === "demo-traffic") {
  await runDemoTraffic(command.role, command.args);
} else {
  const { signal } = new AbortController();
  await using demo = await startDemo({ node: process.execPath, main: import.meta.filename, signal });
  assert.ok(demo);
  console.log(JSON.stringify({ namespaces: demo.namespaces, words: demo.describe() }));
  process.stdin.resume();
  await once(process.stdin, "end");
}
