import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";

const SRC = resolve(import.meta.dirname, "../src");

/** Which rooms a room may import, beside itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  event: [],
  bytes: [],
  btf: ["bytes"],
  "ring-buffer": ["bytes"],
  syscall: [],
  tracefs: ["syscall"],
  probe: ["event", "bytes", "btf", "ring-buffer", "tracefs", "syscall"],
  host: ["event", "syscall"],
  kube: ["event"],
  reconcile: ["event"],
  enrich: ["event"],
  export: ["event"],
  agent: [
    "event",
    "bytes",
    "btf",
    "ring-buffer",
    "syscall",
    "tracefs",
    "probe",
    "host",
    "reconcile",
    "enrich",
    "export",
  ],
  config: [],
  cli: [
    "event",
    "bytes",
    "btf",
    "ring-buffer",
    "syscall",
    "tracefs",
    "probe",
    "host",
    "kube",
    "reconcile",
    "enrich",
    "export",
    "config",
    "agent",
  ],
  "main.ts": ["cli"],
};

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

test("rooms of src/ import only what the table allows", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const room = file.split("/")[0]!;
    const allowed = MAY_IMPORT[room];
    assert.ok(allowed, `src/${file} is in no room of the table`);
    for (const imported of importsOf(file)) {
      const target = imported.split("/")[0]!;
      if (target !== room && !allowed.includes(target)) wrong.push(`src/${file} imports src/${imported}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("rooms of src/ that only compute do no input or output", () => {
  const pure = ["event", "bytes", "btf", "ring-buffer", "reconcile", "enrich", "config"];
  const io = /from "node:(fs|net|child_process|worker_threads|dgram|http)/;
  const wrong = files.filter((file) => pure.includes(file.split("/")[0]!) && io.test(read(file)));
  assert.deepEqual(wrong, []);
});

test("rooms of src/ name files under tracefs only in tracefs/", () => {
  const tracefsName =
    /\b(dynamic_events|kprobe_events|trace_pipe|trace_pipe_raw|buffer_size_kb|kprobe_profile|error_log|free_buffer|trace_clock|tracing_on|header_page)\b/;
  const wrong: string[] = [];
  for (const file of files) {
    if (file.startsWith("tracefs/")) continue;
    // A name in a sentence for people is not a path: only string literals that are a path or its part count.
    const code = read(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/ .*$/gm, "");
    for (const literal of code.matchAll(/"([^"\n]*)"|`([^`]*)`/g)) {
      const text = literal[1] ?? literal[2] ?? "";
      if (tracefsName.test(text) && !text.includes(" ")) wrong.push(`src/${file}: ${text}`);
    }
  }
  assert.deepEqual(wrong, []);
});

function importsOf(file: string): readonly string[] {
  const here = dirname(join(SRC, file));
  return [...read(file).matchAll(/from "(\.[^"]+)"/g)].map((match) =>
    relative(SRC, resolve(here, match[1]!)),
  );
}

function read(file: string): string {
  return readFileSync(join(SRC, file), "utf8");
}
