import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogEntry, LogLevel } from "../../src/agent/log-entry.ts";
import { lineEntries, pinoEntries } from "../../src/agent/log-writers.ts";
import { openOwnLog } from "../../src/agent/own-log.ts";

function logInto(entries: LogEntry[], level: LogLevel = "info") {
  const clock = { ms: 0 };
  const log = openOwnLog({
    level,
    now: () => clock.ms,
    entry: (entry) => entries.push(entry),
    component: "agent",
  });
  return { clock, log };
}

const READY: LogEntry = {
  level: "info",
  component: "agent",
  message: "Ready",
  repeated: 0,
  cause: undefined,
};

test("openOwnLog() says a repeated message once a minute, with how often it came", () => {
  const entries: LogEntry[] = [];
  const { clock, log } = logInto(entries);
  for (let i = 0; i < 100; i++) log.warn("Cannot reach it");
  assert.equal(entries.length, 1);
  assert.equal(log.counts.keptBack, 99);
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
  for (let i = 0; i < 3; i++) log.as("names").error("Lost the\nwatch");
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
    cause: undefined,
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

const levels: readonly { level: LogLevel; said: string }[] = [
  { level: "debug", said: "debug info warn error" },
  { level: "info", said: "info warn error" },
  { level: "warn", said: "warn error" },
  { level: "error", said: "error" },
];
for (const { level, said } of levels) {
  test(`openOwnLog() at level ${level} says ${said}`, () => {
    const entries: LogEntry[] = [];
    const { log } = logInto(entries, level);
    for (const part of [log, log.as("names")]) {
      part.debug("a");
      part.info("b");
      part.warn("c");
      part.error("d");
    }
    assert.equal(entries.map((entry) => entry.level).join(" "), `${said} ${said}`);
    assert.equal(log.counts.keptBack, 0, "what is not said at all is not kept back");
  });
}

test("openOwnLog() writes a burst and then a trickle of messages that all differ, and says how many it left out", () => {
  const entries: LogEntry[] = [];
  const { clock, log } = logInto(entries);
  for (let i = 0; i < 10_000; i++) log.info(`Message ${i}`);
  log.error("A fault");
  assert.equal(entries.length, 101, "errors have a budget of their own");
  log.remind();
  assert.equal(
    entries.at(-1)?.message,
    "More was said than may be written: 9900 messages left out",
    "and no more often than remind() is called",
  );
  assert.equal(log.counts.leftOut, 9900);
  clock.ms = 10_000;
  for (let i = 0; i < 100; i++) log.info(`Later ${i}`);
  assert.equal(entries.filter(({ message }) => message.startsWith("Later")).length, 20);
});

test("openOwnLog() accounts for each message that it is given", () => {
  const entries: LogEntry[] = [];
  const { clock, log } = logInto(entries);
  let given = 0;
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < 30; i++) log.info(`Message ${(round * 7 + i * i) % 400}`);
    given += 30;
    clock.ms += 900;
    log.remind();
  }
  log.end();
  const written = entries.filter(({ component, level }) => component === "agent" && level === "info");
  const counted = written.reduce((sum, { repeated }) => sum + 1 + repeated, 0);
  assert.equal(counted + log.counts.leftOut, given);
  assert.ok(log.counts.keptBack > 0 && log.counts.leftOut > 0);
});

test("openOwnLog() cuts a message that is too long", () => {
  const entries: LogEntry[] = [];
  const { log } = logInto(entries);
  log.info("x".repeat(100_000));
  assert.equal(entries[0]?.message.length, 2001);
});

test("pinoEntries() writes one JSON object a line, with the level in words and an ISO time", () => {
  const lines: string[] = [];
  const unixMs = () => Date.UTC(2026, 10, 26, 2, 14, 5, 7);
  const entry = pinoEntries({ write: (text) => lines.push(text), unixMs });
  entry({ ...READY, level: "warn", component: "names", message: 'A "quoted"\nline \u001b[31m' });
  entry({ ...READY, level: "debug", repeated: 41 });
  assert.ok(lines.every((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1));
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      {
        level: "warn",
        time: "2026-11-26T02:14:05.007Z",
        component: "names",
        msg: 'A "quoted"\nline \u001b[31m',
      },
      { level: "debug", time: "2026-11-26T02:14:05.007Z", component: "agent", repeated: 41, msg: "Ready" },
    ],
  );
});

test("pinoEntries() writes what was thrown with its stack", () => {
  const lines: string[] = [];
  const entry = pinoEntries({ write: (text) => lines.push(text), unixMs: () => 0 });
  entry({ ...READY, level: "error", message: "Cannot make the page", cause: new TypeError("a bug") });
  const { err, msg } = JSON.parse(lines[0] ?? "");
  assert.equal(msg, "Cannot make the page");
  assert.equal(err.type, "TypeError");
  assert.equal(err.message, "a bug");
  assert.match(err.stack, /own-log\.test\.ts/);
});

test("lineEntries() writes the words alone, with the count where there is one, and says what is no good news", () => {
  const lines: string[] = [];
  const entry = lineEntries({ write: (text) => lines.push(text), color: false });
  entry(READY);
  entry({ ...READY, repeated: 3 });
  entry({ ...READY, level: "warn", message: "Names are late", repeated: 1 });
  entry({ ...READY, level: "error", message: "Cannot make the page", cause: new TypeError("a bug") });
  assert.deepEqual(lines, [
    "Ready\n",
    "Ready (3 times more)\n",
    "Warning: Names are late (1 time more)\n",
    "Error: Cannot make the page: a bug\n",
  ]);
});

test("lineEntries() lets nothing that others said steer the terminal or pass for a line of its own", () => {
  const lines: string[] = [];
  const entry = lineEntries({ write: (text) => lines.push(text), color: true });
  entry({ ...READY, level: "warn", message: "It says \u001b[2J\u202e\nReady" });
  assert.deepEqual(lines, ["\u001b[33mWarning:\u001b[0m It says ?[2J? Ready\n"]);
});
