import assert from "node:assert/strict";
import { test } from "node:test";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { type Command, parseOptions, usesColor, type ViewOptions } from "../../src/cli/options.ts";
import { UsageError } from "../../src/cli/usage-error.ts";

function parse(line: string, env: NodeJS.ProcessEnv = {}): Command {
  return parseOptions(line.split(" ").filter(Boolean), env);
}

function trace(line: string, env: NodeJS.ProcessEnv = {}): Extract<Command, { kind: "trace" }> {
  const command = parse(line, env);
  assert.ok(command.kind === "trace");
  return command;
}

function help(line: string): string {
  const command = parse(line);
  assert.ok(command.kind === "help");
  return command.text;
}

function problems(line: string): readonly string[] {
  try {
    parse(line);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.problems;
  }
  return assert.fail(`"${line}" was taken`);
}

const NO_FILTERS = { local: [], remote: [], port: [], state: [], type: [], netns: [] };
const VIEW: ViewOptions = {
  json: false,
  wide: false,
  lossProbes: false,
  stacks: false,
  summary: undefined,
  count: undefined,
  color: "auto",
  filters: NO_FILTERS,
};

test("parseOptions() without arguments traces as perf-tools does", () => {
  assert.deepEqual(parse(""), {
    kind: "trace",
    capture: { probe: "auto", stacks: false, bufferSizeKb: 4096, duration: undefined },
    view: VIEW,
    verify: false,
    demo: false,
    naming: undefined,
    interval: 1,
  });
});

test("parseOptions() reads the configuration of names where they are asked for", () => {
  const { naming } = trace(
    "--kubernetes --scope local --cidr-name a=192.0.2.0/24 --cidr-name b=2001:db8::/32 --service-cidrs",
  );
  assert.equal(naming?.kubernetes.scope, "local");
  assert.equal(naming?.kubernetes.serviceCidrs, true);
  assert.deepEqual(
    naming?.names.cidrs.map(({ name }) => name),
    ["a", "b"],
  );
  assert.equal(trace("--kubernetes", { NODE_NAME: "node-a" }).naming?.kubernetes.nodeName, "node-a");
  assert.equal(trace("", { TCPRETRANS_SCOPE: "local" }).naming, undefined);
  const inPod = trace("--kubernetes", { TCPRETRANS_HOST_PROC_PATH: "/host/proc" });
  assert.equal(inPod.naming?.host.procPath, "/host/proc");
});

test("parseOptions() says what is wrong with the configuration of names beside what else is wrong", () => {
  assert.deepEqual(problems("--kubernetes --scope some --port 0"), [
    "Cannot use --port 0: give a whole number from 1 to 65535",
    "Cannot use --scope some: give one of local, cluster",
  ]);
  assert.deepEqual(problems("--scope local --service-cidrs"), [
    "Cannot use --scope, --service-cidrs without --kubernetes: add it",
  ]);
});

test("parseOptions() takes perf-tools' flags, together too", () => {
  const { capture, view } = trace("-ls");
  assert.deepEqual({ ...view }, { ...VIEW, lossProbes: true, stacks: true });
  assert.equal(capture.stacks, true, "what is shown must be captured");
  assert.deepEqual(trace("-l -s"), trace("-ls"));
});

test("parseOptions() takes the options of a trace", () => {
  const line =
    "--wide --summary=5 --duration 0.5 --local 10.0.0.0/8 --local ::1 --remote 192.0.2.1 --port 80 " +
    "--port 443 --state syn_sent --type timeout --type fast --netns 4026531840 --netns /run/netns/a " +
    "--probe=eprobe --buffer-size 512 --verify --interval 2 --demo --color";
  assert.deepEqual(parse(line), {
    kind: "trace",
    capture: { probe: "eprobe", stacks: false, bufferSizeKb: 512, duration: 0.5 },
    view: {
      ...VIEW,
      wide: true,
      summary: 5,
      color: "always",
      filters: {
        local: [
          { family: "ipv4", address: "10.0.0.0", prefix: 8 },
          { family: "ipv6", address: "::1", prefix: 128 },
        ],
        remote: [{ family: "ipv4", address: "192.0.2.1", prefix: 32 }],
        port: [80, 443],
        state: [2],
        type: ["timeout", "fast"],
        netns: [
          { kind: "inum", inum: 4026531840 },
          { kind: "path", path: "/run/netns/a" },
        ],
      },
    },
    verify: true,
    demo: true,
    naming: undefined,
    interval: 2,
  });
});

test("parseOptions() takes --count", () => {
  assert.equal(trace("--count 23").view.count, 23);
});

test("parseOptions() takes --summary without seconds, before another option too", () => {
  assert.equal(trace("--summary").view.summary, 0);
  const { summary, json } = trace("--summary --json").view;
  assert.deepEqual({ summary, json }, { summary: 0, json: true });
});

test("parseOptions() takes record, replay, doctor, --version and the demonstration's children", () => {
  assert.deepEqual(parse("record -s --duration 60 storm.rec"), {
    kind: "record",
    file: "storm.rec",
    capture: { probe: "auto", stacks: true, bufferSizeKb: 4096, duration: 60 },
  });
  assert.deepEqual(parse("replay storm.rec -l --json"), {
    kind: "replay",
    file: "storm.rec",
    view: { ...VIEW, lossProbes: true, json: true },
  });
  assert.deepEqual(parse("doctor --json"), { kind: "doctor", json: true });
  assert.deepEqual(parse("--version"), { kind: "version" });
  assert.deepEqual(parse("demo-traffic talk 192.0.2.2 -x"), {
    kind: "demo-traffic",
    role: "talk",
    args: ["192.0.2.2", "-x"],
  });
});

const colors = [
  { line: "", env: {}, color: "auto" },
  { line: "", env: { NO_COLOR: "1" }, color: "never" },
  { line: "", env: { NO_COLOR: "" }, color: "auto" },
  { line: "", env: { TERM: "dumb" }, color: "never" },
  { line: "--color", env: { NO_COLOR: "1" }, color: "always" },
  { line: "--no-color", env: {}, color: "never" },
];
for (const { line, env, color } of colors) {
  test(`parseOptions() gives colours ${color} for "${line}" and ${JSON.stringify(env)}`, () => {
    assert.equal(trace(line, env).view.color, color);
  });
}

test("usesColor() colours a terminal unless told otherwise", () => {
  assert.deepEqual([usesColor("auto", true), usesColor("auto", false)], [true, false]);
  assert.deepEqual([usesColor("always", false), usesColor("never", true)], [true, false]);
});

test("parseOptions() says everything that is wrong at once, each with what to give instead", () => {
  assert.deepEqual(problems("--foo --port 0 --local 1.2.3.4/33 --state OPEN --duration -1 --count 1.5"), [
    "Unknown option '--foo'",
    "Cannot use --port 0: give a whole number from 1 to 65535",
    "Cannot use --local 1.2.3.4/33: give an address or a CIDR range, such as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32",
    "Cannot use --state OPEN: give one of ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING, NEW_SYN_RECV",
    "Cannot use --duration -1: give seconds greater than 0 and up to 2147483, such as 10 or 0.5",
    "Cannot use --count 1.5: give a whole number from 1 to 9007199254740991",
  ]);
});

const wrong = [
  { line: "--jsn", problem: "Unknown option '--jsn' (Did you mean --json?)" },
  { line: "--port", problem: "Option '--port <port>' argument missing" },
  {
    line: "eth0",
    problem: 'Cannot use "eth0": it is neither an option nor a command (record, replay, doctor, agent)',
  },
  {
    line: "--json replay x",
    problem: "Cannot use replay behind options: put it first, as in tcpretrans replay",
  },
  { line: "replay", problem: "Cannot go on without a file: give its name behind the command" },
  {
    line: "replay a b",
    problem: 'Cannot use "b": it is neither an option nor a command (record, replay, doctor, agent)',
  },
  { line: "record --json x", problem: "Unknown option '--json'" },
  {
    line: "record x --probe=counters",
    problem: "Cannot use --probe counters: give one of auto, kprobe, eprobe, tracepoint",
  },
  {
    line: "--type tlp",
    problem:
      "Cannot use --type tlp: give one of timeout, fast, slow_start, tail_loss_probe, syn, syn_ack, reordering, mtu, window_probe, other",
  },
  {
    line: "--netns eth0",
    problem:
      "Cannot use --netns eth0: give an inode number (stat -L -c %i /proc/PID/ns/net) or a path such as /run/netns/NAME",
  },
  {
    line: "--probe counters -l --port 80 --verify",
    problem:
      "Cannot use -l, --verify, --port with --probe=counters: counters have no events; leave one of them out",
  },
  {
    line: "replay x --summary --count 5",
    problem: "Cannot use --count with --summary: it counts lines of events; leave one of them out",
  },
];
for (const { line, problem } of wrong) {
  test(`parseOptions() refuses "${line}"`, () => assert.deepEqual(problems(line), [problem]));
}

test("parseOptions() leaves --probe=counters its own options", () => {
  const { capture, interval, view } = trace("--probe counters --interval 5 --json --netns 7 --duration 9");
  assert.deepEqual([capture.probe, interval, view.json, capture.duration], ["counters", 5, true, 9]);
});

test("parseOptions() gives perf-tools' usage for -h, within 80 columns", () => {
  const text = help("-h");
  assert.ok(text.startsWith("USAGE: tcpretrans [-hls]"));
  assert.match(text, /PID {4}the task that was on the CPU/);
  assert.match(text, /R> a retransmit that was sent, L> a tail loss probe/);
  for (const { code, meaning } of Object.values(EXIT_CODES))
    assert.ok(text.includes(`  ${code}  ${meaning}\n`));
  for (const line of ["-h", "record -h", "replay -h", "doctor -h"].map(help).join("").split("\n")) {
    assert.ok(line.length <= 80, line);
  }
  assert.equal(help("--help -l"), text);
  assert.ok(help("replay --help").startsWith("USAGE: tcpretrans replay "));
});

test("parseOptions() gives help even where the rest is wrong", () => {
  assert.equal(help("--port 0 -h"), help("-h"));
});
