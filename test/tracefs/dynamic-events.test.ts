import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import {
  defineProbe,
  listDynamicEvents,
  parseDefinition,
  removeProbe,
} from "../../src/tracefs/dynamic-events.ts";
import { findErrorWords } from "../../src/tracefs/error-log.ts";
import { removeLeftovers } from "../../src/tracefs/leftovers.ts";

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "tracefs-"));
});
afterEach(() => rmSync(path, { recursive: true }));
const tracefs = () => ({ path, lockdown: undefined });

const LINES = [
  {
    line: "p:tcpretrans_0badcafe/rtx tcp_retransmit_skb+0 sk=$arg1:x64",
    head: ["p", "tcpretrans_0badcafe", "rtx"],
  },
  { line: "r16:kprobes/r_foo foo ret=$retval", head: ["r", "kprobes", "r_foo"] },
  { line: "e:tcpretrans_0badcafe/out tcp.tcp_retransmit_skb", head: ["e", "tcpretrans_0badcafe", "out"] },
  { line: "e:g/only_a_head", head: ["e", "g", "only_a_head"] },
  { line: "s:wakeup_latency\tu64 lat;", head: undefined },
  { line: "p:no_group foo", head: undefined },
  { line: "p:g/9bad foo", head: undefined },
  { line: "-:g/e", head: undefined },
  { line: "", head: undefined },
];
for (const { line, head } of LINES) {
  test(`parseDefinition() reads ${JSON.stringify(line)}`, () => {
    const event = parseDefinition(line);
    assert.deepEqual(event && [event.type, event.group, event.event], head);
  });
}

test("defineProbe() appends one line and leaves other tools' probes where they are", () => {
  const file = join(path, "dynamic_events");
  writeFileSync(file, "p:kprobes/other foo\n");
  const definition = "p:tcpretrans_0badcafe/rtx tcp_retransmit_skb";
  assert.deepEqual(defineProbe(tracefs(), definition), {
    type: "p",
    group: "tcpretrans_0badcafe",
    event: "rtx",
    definition,
  });
  assert.equal(readFileSync(file, "utf8"), `p:kprobes/other foo\n${definition}\n`);
});

test("defineProbe() uses kprobe_events where there is no dynamic_events", () => {
  writeFileSync(join(path, "kprobe_events"), "");
  defineProbe(tracefs(), "p:tcpretrans_0badcafe/rtx foo");
  assert.equal(readFileSync(join(path, "kprobe_events"), "utf8"), "p:tcpretrans_0badcafe/rtx foo\n");
});

test("defineProbe() says that the kernel has no kprobes where it has no kprobe_events", () => {
  assert.throws(() => defineProbe(tracefs(), "p:tcpretrans_0badcafe/rtx foo"), {
    name: "SetupError",
    code: "no-probe",
    message: "Cannot install kprobes: this kernel was built without CONFIG_KPROBE_EVENTS",
  });
});

test("defineProbe() refuses a second probe of one name, which the kernel appends in silence", () => {
  writeFileSync(join(path, "dynamic_events"), "p:tcpretrans_0badcafe/rtx bar\n");
  assert.throws(
    () => defineProbe(tracefs(), "p:tcpretrans_0badcafe/rtx foo"),
    /was there, on another symbol/,
  );
});

const NOT_OURS = [
  { name: "another tool's group", definition: "p:kprobes/rtx foo", error: RangeError },
  { name: "no group", definition: "p:rtx foo", error: TypeError },
  { name: "a removal", definition: "-:tcpretrans_0badcafe/rtx", error: TypeError },
  { name: "two lines", definition: "p:tcpretrans_0badcafe/rtx foo\n-:kprobes/other", error: TypeError },
  { name: "4095 bytes", definition: `p:tcpretrans_0badcafe/rtx ${"x".repeat(4069)}`, error: TypeError },
];
for (const { name, definition, error } of NOT_OURS) {
  test(`defineProbe() writes nothing for ${name}`, () => {
    writeFileSync(join(path, "dynamic_events"), "");
    assert.throws(() => defineProbe(tracefs(), definition), error);
    assert.equal(readFileSync(join(path, "dynamic_events"), "utf8"), "");
  });
}

test("removeProbe() never names another tool's group", () => {
  writeFileSync(join(path, "dynamic_events"), "");
  assert.throws(() => removeProbe(tracefs(), "kprobes", "other"), RangeError);
  assert.equal(readFileSync(join(path, "dynamic_events"), "utf8"), "");
});

test("listDynamicEvents() gives nothing on a kernel without dynamic events", () => {
  assert.deepEqual(listDynamicEvents(tracefs()), []);
});

test("removeLeftovers() removes probes whose instance is gone, and of those only ours", () => {
  mkdirSync(join(path, "instances/tcpretrans-11111111/held"), { recursive: true }); // rmdir gives ENOTEMPTY: alive
  mkdirSync(join(path, "instances/tcpretrans-22222222"));
  mkdirSync(join(path, "instances/other"));
  mkdirSync(join(path, "instances/tcpretrans-mine"));
  const file = join(path, "dynamic_events");
  const groups = [
    "tcpretrans_11111111",
    "tcpretrans_22222222",
    "tcpretrans_33333333",
    "kprobes",
    "tcpretrans_lab",
  ];
  const before = groups.map((group) => `p:${group}/rtx foo\n`).join("");
  writeFileSync(file, before);
  assert.deepEqual(removeLeftovers(tracefs()), {
    instances: ["tcpretrans-22222222"],
    probes: ["tcpretrans_22222222/rtx", "tcpretrans_33333333/rtx"],
    kept: [],
  });
  assert.equal(readFileSync(file, "utf8"), `${before}-:tcpretrans_22222222/rtx\n-:tcpretrans_33333333/rtx\n`);
});

const ERROR_LOG = `[  120.5] trace_kprobe: error: Invalid probed address or symbol
  Command: p:other/x nowhere
                     ^
[  121.5] trace_kprobe: error: Invalid fetch argument
  Command: p:tcpretrans_0badcafe/rtx foo a=$bad
                                        ^
[  122.5] trace_kprobe: error: Invalid argument number
  Command: p:tcpretrans_0badcafe/rtx foo a=$bad
                                        ^
[  123.5] event filter parse error: error: Unknown field
  Command: a==1
           ^
`;
test("findErrorWords() quotes the newest entry whose Command line is ours", () => {
  assert.equal(
    findErrorWords(ERROR_LOG, "p:tcpretrans_0badcafe/rtx  foo\ta=$bad\n"),
    "Invalid argument number",
  );
});
test("findErrorWords() quotes nobody else's entry", () => {
  assert.equal(findErrorWords(ERROR_LOG, "e:tcpretrans_0badcafe/out tcp.tcp_retransmit_skb"), undefined);
  assert.equal(findErrorWords("", "p:a/b c"), undefined);
});
