import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCpuList } from "../../src/tracefs/cpu-list.ts";
import { parseCpuStats } from "../../src/tracefs/cpu-stats.ts";
import { parseKprobeProfile } from "../../src/tracefs/kprobe-profile.ts";
import { parseLockdown } from "../../src/tracefs/lockdown.ts";
import { parseTracefsMounts } from "../../src/tracefs/mountinfo.ts";
import { assertOurGroup, GROUP_PREFIX, INSTANCE_PREFIX, idOf } from "../../src/tracefs/names.ts";

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

const NAMES = [
  { name: "tcpretrans-0badcafe", prefix: INSTANCE_PREFIX, id: "0badcafe" },
  { name: "tcpretrans_0badcafe", prefix: GROUP_PREFIX, id: "0badcafe" },
  { name: "tcpretrans_0badcafe", prefix: INSTANCE_PREFIX, id: undefined },
  { name: "tcpretrans_0badcaf", prefix: GROUP_PREFIX, id: undefined },
  { name: "tcpretrans_0badcafe0", prefix: GROUP_PREFIX, id: undefined },
  { name: "tcpretrans_backup01", prefix: GROUP_PREFIX, id: undefined },
  { name: "tcpretrans", prefix: GROUP_PREFIX, id: undefined },
] as const;
for (const { name, prefix, id } of NAMES) {
  test(`idOf() takes ${name} with ${prefix} as ${id ?? "someone else's"}`, () =>
    assert.equal(idOf(name, prefix), id));
}
test("assertOurGroup() throws RangeError on another tool's group", () => {
  assert.throws(() => assertOurGroup("kprobes"), { name: "RangeError", message: /"kprobes": not ours/ });
});
