import assert from "node:assert/strict";
import { test } from "node:test";
import { type LogEntry, lineEntries, openOwnLog, pinoEntries } from "../../src/agent/own-log.ts";
import { RepeatLimit } from "../../src/agent/repeat-limit.ts";

function logInto(entries: LogEntry[]) {
  const clock = { ms: 0 };
  const log = openOwnLog({
    now: () => clock.ms,
    entry: (entry) => entries.push(entry),
    component: "agent",
  });
  return { clock, log };
}

test("openOwnLog() says a repeated message once a minute, with how often it came", () => {
  const entries: LogEntry[] = [];
  const { clock, log } = logInto(entries);
  for (let i = 0; i < 100; i++) log.warn("Cannot reach it");
  assert.equal(entries.length, 1);
  clock.ms = 60_000;
  log.warn("Cannot reach it");
  assert.deepEqual(
    entries.map(({ repeated }) => repeated),
    [0, 99],
  );
});

test("openOwnLog() says what was kept back though it does not come again, and forgets it then", () => {
  const entries: LogEntry[] = [];
  const { clock, log } = logInto(entries);
  log.as("names").error("Lost the\nwatch");
  log.as("names").error("Lost the\nwatch");
  clock.ms = 59_999;
  log.remind();
  assert.equal(entries.length, 1);
  clock.ms = 60_000;
  log.remind();
  assert.deepEqual(entries[1], {
    level: "error",
    component: "names",
    message: "Lost the\nwatch",
    repeated: 1,
  });
  clock.ms = 120_000;
  log.remind();
  log.as("names").error("Lost the\nwatch");
  assert.equal(entries.at(-1)?.repeated, 0);
  assert.equal(entries.length, 3);
});

test("openOwnLog() takes the same words of another part or level for another message", () => {
  const entries: LogEntry[] = [];
  const { log } = logInto(entries);
  log.info("Ready");
  log.warn("Ready");
  log.as("server").info("Ready");
  assert.deepEqual(
    entries.map(({ level, component }) => [level, component]),
    [
      ["info", "agent"],
      ["warn", "agent"],
      ["info", "server"],
    ],
  );
});

test("pinoEntries() writes one JSON object a line, with the level in words and an ISO time", () => {
  const lines: string[] = [];
  const entry = pinoEntries((text) => lines.push(text));
  entry({ level: "warn", component: "names", message: 'A "quoted"\nline', repeated: 0 });
  entry({ level: "error", component: "names", message: "Again", repeated: 41 });
  assert.equal(lines.length, 2);
  assert.ok(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1));
  const [first, second] = lines.map((line) => JSON.parse(line));
  assert.match(first.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(
    { ...first, time: "" },
    { level: "warn", time: "", component: "names", msg: 'A "quoted"\nline' },
  );
  assert.equal(second.repeated, 41);
  assert.equal(second.level, "error");
});

test("lineEntries() writes the words alone, with the count where there is one", () => {
  const lines: string[] = [];
  const entry = lineEntries((line) => lines.push(line));
  entry({ level: "info", component: "agent", message: "Ready", repeated: 0 });
  entry({ level: "info", component: "agent", message: "Ready", repeated: 3 });
  assert.deepEqual(lines, ["Ready", "Ready (3 times more)"]);
});

test("RepeatLimit.offer() remembers a bounded number of messages, those said last", () => {
  const limit = new RepeatLimit({ everyMs: 1000 });
  for (let i = 0; i < 300; i++) assert.deepEqual(limit.offer(`message ${i}`, i), { repeated: 0 });
  assert.equal(limit.offer("message 299", 300), undefined, "known");
  assert.deepEqual(limit.offer("message 0", 300), { repeated: 0 }, "forgotten, so it is said again");
});
