import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hzOf, parseTimerList, readKernelHz } from "../../src/host/kernel-hz.ts";

/** From a 6.18 kernel with CONFIG_HZ=250, 1121.859 s after boot. */
const TIMER_LIST = `Timer List Version: v0.10
HRTIMER_MAX_CLOCK_BASES: 8
now at 1121859437195 nsecs

cpu: 0
 clock 0:
  .offset:     0 nsecs
  .last_jiffies   : 4295172697
jiffies: 4295172698
cpu: 1
jiffies: 4295172698
`;

test("parseTimerList() takes the time and the first jiffies", () => {
  assert.deepEqual(parseTimerList(TIMER_LIST), { seconds: 1121.859437195, jiffies: 4295172698 });
});

test("parseTimerList() gives undefined for a text without them", () => {
  assert.equal(parseTimerList("now at 5 nsecs\n"), undefined);
  assert.equal(parseTimerList("jiffies: 5\n"), undefined);
});

for (const hz of [100, 250, 300, 1000]) {
  for (const seconds of [3, 290, 320, 86_400, 30_000_000]) {
    test(`hzOf() gives ${hz} at ${seconds} s after boot, with jiffies 3 ticks late`, () => {
      assert.equal(hzOf({ seconds, jiffies: 2 ** 32 - 300 * hz + Math.floor(seconds * hz) - 3 }), hz);
    });
  }
}

test("hzOf() finds 250 where a booting VM has lost 39 ticks", () => {
  assert.equal(hzOf({ seconds: 37.792993382, jiffies: 4294901783 }), 250); // 5.10 under emulation
});

test("hzOf() gives undefined where jiffies wraps and every HZ reads the same", () => {
  assert.equal(hzOf({ seconds: 300.01, jiffies: 2 ** 32 + 2 }), undefined);
});

test("hzOf() gives undefined for a HZ that no kernel configuration offers", () => {
  assert.equal(hzOf({ seconds: 1000, jiffies: 2 ** 32 + 700 * 500 }), undefined);
});

test("readKernelHz() reads timer_list below the root, and gives undefined without it", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "timer-list-"));
  t.after(() => rmSync(root, { recursive: true }));
  assert.equal(await readKernelHz({ procRoot: root }), undefined);
  writeFileSync(join(root, "timer_list"), TIMER_LIST);
  assert.equal(await readKernelHz({ procRoot: root }), 250);
});
