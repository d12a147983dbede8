import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type AgentCommand, parseAgent } from "../../src/cli/agent-options.ts";
import { readConfigText } from "../../src/cli/read-config-text.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { longFlag, SETTINGS } from "../../src/config/settings.ts";

interface Sources {
  readonly env?: NodeJS.ProcessEnv;
  readonly files?: Readonly<Record<string, string>>;
}

function parse(line: string, { env = {}, files = {} }: Sources = {}): ReturnType<typeof parseAgent> {
  const readText = (file: string) => files[file] ?? assert.fail(`there is no ${file}`);
  return parseAgent(line.split(" ").filter(Boolean), { env, readText });
}

function agent(line: string, sources: Sources = {}): AgentCommand {
  const command = parse(line, sources);
  assert.ok(command.kind === "agent");
  return command;
}

function problems(line: string, sources: Sources = {}): readonly string[] {
  try {
    parse(line, sources);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    assert.equal(error.help, "tcpretrans agent -h");
    return error.problems;
  }
  return assert.fail(`"${line}" was taken`);
}

test("parseAgent() runs on defaults", () => {
  const { action, config, warnings } = agent("");
  assert.deepEqual([action, config.http.port, config.events.output, warnings], ["run", 9464, "auto", []]);
});

test("parseAgent() has a flag for every setting", () => {
  const texts: Readonly<Record<string, string>> = { list: "10.0.0.0/8", named: "a=10.0.0.0/8", pairs: "a=b" };
  for (const { flag, kind, path, choices, fallback } of SETTINGS) {
    const text = choices[0] ?? texts[kind] ?? (kind === "number" ? String(fallback ?? 1) : "/x");
    const value = path.endsWith(".endpoint") || path === "http.host" ? "collector" : text;
    // A client's certificate and its key come together.
    const pair = path.replace(/client(Certificate|Key)$/, (word) =>
      word === "clientKey" ? "clientCertificate" : "clientKey",
    );
    const other = SETTINGS.find((setting) => setting.path === pair && pair !== path);
    const line = `${longFlag({ flag })}${kind === "switch" ? "" : ` ${value}`}${other ? ` ${longFlag(other)} /y` : ""}`;
    assert.match(agent(line).effective, new RegExp(`# ${longFlag({ flag })}$`, "m"), line);
  }
});

test("parseAgent() takes --no- before every switch", () => {
  const { config } = agent("--no-http --otlp-insecure --no-otlp-insecure --no-demo --no-service-cidrs");
  assert.deepEqual([config.http.enabled, config.otlp.logs.insecure, config.demo], [false, true, false]);
  assert.match(agent("--no-http").effective, /enabled: false # --no-http$/m);
});

test("parseAgent() reads the file that the flag names, else the variable", () => {
  const files = { "/etc/a.yaml": "http: {port: 1}", "/etc/b.yaml": "http: {port: 2}" };
  const env = { TCPRETRANS_CONFIG: "/etc/b.yaml" };
  assert.equal(agent("--config /etc/a.yaml", { env, files }).config.http.port, 1);
  assert.equal(agent("", { env, files }).config.http.port, 2);
  assert.equal(agent("", { env: { TCPRETRANS_CONFIG: "" } }).config.http.port, 9464);
});

test("parseAgent() checks and prints", () => {
  const files = { "a.yaml": "log: {level: debug}" };
  const { action, summary } = agent("--check-config --config a.yaml --demo", { files });
  assert.deepEqual([action, summary], ["check", "The configuration is right: a.yaml, 0 variables, 1 flag"]);
  const printed = agent("--print-config --config a.yaml", { files });
  assert.equal(printed.action, "print");
  assert.match(printed.effective, /^ {2}level: debug # a\.yaml:1:14$/m);
});

test("parseAgent() says everything that is wrong at once: arguments, file, variables and flags", () => {
  const files = { "a.yaml": "log: {level: loud}\n" };
  const env = { TCPRETRANS_SCOPE: "some", TCPRETRANS_SCOOP: "x" };
  assert.deepEqual(problems("--config a.yaml --http-port x --check-config --print-config", { env, files }), [
    "a.yaml:1:14: Cannot use log.level loud: give one of debug, info, warn, error",
    "Cannot use TCPRETRANS_SCOPE=some: give one of local, cluster",
    "Cannot use --http-port x: give a whole number from 0 to 65535",
    "Cannot use --check-config with --print-config: printing checks too; leave one out",
    "Unknown variable TCPRETRANS_SCOOP: did you mean TCPRETRANS_SCOPE?",
  ]);
  assert.deepEqual(problems("--otlp-endpont x"), [
    "Unknown option '--otlp-endpont' (Did you mean --otlp-endpoint?)",
  ]);
  assert.deepEqual(problems("somewhere"), [
    'Cannot use "somewhere": it is neither an option nor a command (record, replay, doctor, agent)',
  ]);
});

test("parseAgent() says of a file that cannot be read why, beside what else is wrong", () => {
  const env = {};
  const readText = readConfigText;
  assert.throws(
    () => parseAgent(["--config", "/nowhere/a.yaml", "--http-port", "x"], { env, readText }),
    (error: UsageError) => {
      assert.match(
        error.problems[0] ?? "",
        /^Cannot read the configuration \/nowhere\/a\.yaml: ENOENT: no such file/,
      );
      assert.equal(error.problems.length, 2);
      return true;
    },
  );
});

test("readConfigText() reads what grows no larger than a configuration", () => {
  const directory = mkdtempSync(join(tmpdir(), "config-"));
  try {
    writeFileSync(join(directory, "a"), "é".repeat(524_288));
    assert.equal(readConfigText(join(directory, "a")).length, 524_288);
    writeFileSync(join(directory, "a"), `${"é".repeat(524_288)} `);
    assert.throws(() => readConfigText(join(directory, "a")), /it has more than 1048576 bytes/);
    assert.throws(() => readConfigText("/dev/zero"), /it has more than 1048576 bytes/);
    assert.throws(() => readConfigText(directory), /EISDIR/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("parseAgent() gives help within 80 columns, with a line for what most need", () => {
  const help = parse("-h");
  assert.ok(help.kind === "help");
  for (const line of help.text.split("\n")) assert.ok(line.length <= 80, line);
  for (const setting of SETTINGS) {
    assert.equal(help.text.includes(`\n  ${setting.flag} `), !setting.hidden, setting.flag);
  }
  assert.match(help.text, /--http-port <port> .*\(9464\)/);
  assert.doesNotMatch(help.text, /^ {2}--no-/m);
});

test("tcpretrans agent --check-config ends with 0 or 2, and prints where a script looks", () => {
  const main = join(import.meta.dirname, "../../src/main.ts");
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", main, "agent", ...args], {
      encoding: "utf8",
      env: { OTEL_LOG_LEVEL: "loud" },
    });
  const right = run("--check-config");
  assert.deepEqual(
    [right.status, right.stdout, right.stderr],
    [
      0,
      "The configuration is right: no file, 0 variables, 0 flags\n",
      "Leaving out OTEL_LOG_LEVEL=loud: give one of debug, info, warn, error\n",
    ],
  );
  const wrong = run("--print-config", "--scope=x");
  assert.deepEqual([wrong.status, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^Cannot use --scope x: give one of local, cluster\n/);
  assert.match(wrong.stderr, /\nTry tcpretrans agent -h\n$/);
});
