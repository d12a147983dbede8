import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCpuList } from "../../src/tracefs/cpu-list.ts";
import { parseCpuStats } from "../../src/tracefs/cpu-stats.ts";
import { parseKprobeProfile } from "../../src/tracefs/kprobe-profile.ts";
import { parseLockdown } from "../../src/tracefs/lockdown.ts";
import { parseTracefsMounts } from "../../src/tracefs/mountinfo.ts";
import {
  assertOurGroup,
  formatInstanceName,
  groupIdOf,
  nodeMark,
  parseInstanceName,
} from "../../src/tracefs/names.ts";

const CPU_LISTS = [
  { text: "0-1\n", cpus: [0, 1] },
  { text: "0\n", cpus: [0] },
  { text: "0-2,5,8-9\n", cpus: [0, 1, 2, 5, 8, 9] },
  { text: "\n", cpus: [] },
];
for (const { text, cpus } of CPU_LISTS) {
  test(`parseCpuList() reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseCpuList(text), cpus));
}
test("parseCpuList() throws SyntaxError on a word, and on a range without end", () => {
  assert.throws(() => parseCpuList("all"), SyntaxError);
  assert.throws(() => parseCpuList("0-"), SyntaxError);
});

const STATS = `entries: 12
overrun: 34
commit overrun: 1
bytes: 4080
oldest event ts:  1119.000001
now ts:  1120.016012
dropped events: 2
read events: 99
`;
test("parseCpuStats() reads every counter and the clock in nanoseconds", () => {
  assert.deepEqual(parseCpuStats(STATS), {
    entries: 12,
    overrun: 34,
    commitOverrun: 1,
    dropped: 2,
    readEvents: 99,
    nowTs: 1_120_016_012_000n,
  });
});
test("parseCpuStats() throws SyntaxError without a line it needs, or with a clock that is not in seconds", () => {
  assert.throws(() => parseCpuStats(STATS.replace("overrun: 34\n", "")), /no "overrun" line/);
  assert.throws(() => parseCpuStats(STATS.replace("1120.016012", "123456")), /"now ts" is "123456"/);
  assert.throws(() => parseCpuStats(STATS.replace("entries: 12", "entries: -")), /"entries" is "-"/);
});

test("parseKprobeProfile() gives hits and misses by event", () => {
  const text = `  rtx                                                      65               1
  tlp                                                      12               0
`;
  assert.deepEqual(
    [...parseKprobeProfile(text)],
    [
      ["rtx", { hits: 65, misses: 1 }],
      ["tlp", { hits: 12, misses: 0 }],
    ],
  );
  assert.equal(parseKprobeProfile("").size, 0);
});

test("parseLockdown() gives the level in brackets", () => {
  assert.equal(parseLockdown("none [integrity] confidentiality\n"), "integrity");
  assert.equal(parseLockdown("none integrity [confidentiality]\n"), "confidentiality");
  assert.equal(parseLockdown("[none] integrity confidentiality\n"), "none");
  assert.equal(parseLockdown(""), undefined);
});

const MOUNTINFO = `22 1 0:20 / /proc rw,relatime shared:5 - proc proc rw
30 22 0:7 / /sys/kernel/debug/tracing rw,relatime shared:9 - tracefs tracefs rw
31 22 0:7 / /mnt/ro ro,relatime - tracefs tracefs rw
32 22 0:7 / /mnt/ro-super rw,relatime - tracefs tracefs ro
33 22 0:7 /instances /mnt/part rw - tracefs tracefs rw
34 22 0:7 / /mnt/with\\040space rw,nosuid shared:1 master:2 - tracefs nodev rw,gid=5
35 22 0:7 / /sys/kernel/tracing rw,nosuid - tracefs tracefs rw
36 22 0:7 / /sys/kernel/tracing rw,nosuid - tracefs tracefs rw
37 22 0:9 / /tracefs rw - ext4 /dev/tracefs rw
`;
test("parseTracefsMounts() gives whole read-write mounts, those below debugfs last", () => {
  assert.deepEqual(
    parseTracefsMounts(MOUNTINFO).map(({ path }) => path),
    ["/mnt/with space", "/sys/kernel/tracing", "/sys/kernel/tracing", "/sys/kernel/debug/tracing"],
  );
  assert.equal(parseTracefsMounts(MOUNTINFO)[0]?.source, "nodev");
  assert.deepEqual(parseTracefsMounts(""), []);
});

const GROUPS = [
  { name: "tcpretrans_0badcafe", id: "0badcafe" },
  { name: "tcpretrans-0badcafe", id: undefined },
  { name: "tcpretrans_0badcaf", id: undefined },
  { name: "tcpretrans_0badcafe0", id: undefined },
  { name: "tcpretrans_backup01", id: undefined },
  { name: "tcpretrans", id: undefined },
] as const;
for (const { name, id } of GROUPS) {
  test(`groupIdOf() takes ${name} as ${id ?? "someone else's"}`, () => assert.equal(groupIdOf(name), id));
}
const AGENT = { node: "1a2b3c4d", startedMs: 0x4f3a29e8d } as const;
const INSTANCES = [
  { name: "tcpretrans-0badcafe", is: { id: "0badcafe", agent: undefined } },
  { name: "tcpretrans-agent-1a2b3c4d-004f3a29e8d-0badcafe", is: { id: "0badcafe", agent: AGENT } },
  { name: "tcpretrans_0badcafe", is: undefined },
  { name: "tcpretrans-backup01", is: undefined },
  { name: "tcpretrans-agent-1a2b3c4d-4f3a29e8d-0badcafe", is: undefined },
  { name: "tcpretrans-agent-0badcafe", is: undefined },
] as const;
for (const { name, is } of INSTANCES) {
  test(`parseInstanceName() takes ${name} as ${is === undefined ? "someone else's" : "ours"}`, () => {
    assert.deepEqual(parseInstanceName(name), is);
    if (is !== undefined) assert.equal(formatInstanceName(is), name);
  });
}
test("formatInstanceName() gives names in the order in which a node's agents began", () => {
  const begun = [1, 15.5, 16, 86_400_000, 2 ** 40].map((startedMs, i) =>
    formatInstanceName({ id: `0000000${9 - i}`, agent: { node: "1a2b3c4d", startedMs } }),
  );
  assert.deepEqual(begun.toSorted(), begun);
});
test("nodeMark() tells nodes apart, and is the same each time", () => {
  assert.equal(nodeMark("a"), "e40c292c"); // FNV-1a of 32 bits
  assert.notEqual(nodeMark("kind-worker"), nodeMark("kind-worker2"));
});
test("assertOurGroup() throws RangeError on another tool's group", () => {
  assert.throws(() => assertOurGroup("kprobes"), { name: "RangeError", message: /"kprobes": not ours/ });
});
