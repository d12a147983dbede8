import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findCgroupMount, parseCgroupMounts } from "../../src/host/cgroup-mount.ts";

const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const PURE = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
/** A pod with a cgroup namespace of its own that mounts the host's /sys/fs/cgroup as a hostPath. */
const POD = `300 290 0:26 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw,nsdelegate
301 290 0:26 /../../../.. /host/sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw,nsdelegate
`;
/** A privileged pod in the host's cgroup namespace, which sees its own part at the usual place. */
const PRIVILEGED = `300 290 0:26 /kubepods.slice/x.scope /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw
301 290 0:26 / /host/cgroup rw,nosuid - cgroup2 cgroup2 rw
`;

const MOUNTS = [
  ["the v2 tree of a v1 hybrid", HYBRID, [["/sys/fs/cgroup/unified", 0]]],
  ["pure v2", PURE, [["/sys/fs/cgroup", 0]]],
  ["pure v1", HYBRID.replace("cgroup2", "cgroup"), []],
  [
    "a pod in a cgroup namespace",
    POD,
    [
      ["/host/sys/fs/cgroup", 4],
      ["/sys/fs/cgroup", 0],
    ],
  ],
  [
    "a privileged pod",
    PRIVILEGED,
    [
      ["/host/cgroup", 0],
      ["/sys/fs/cgroup", -2],
    ],
  ],
] as const;
for (const [name, mountinfo, mounts] of MOUNTS) {
  test(`parseCgroupMounts() puts first what shows the most, of ${name}`, () =>
    assert.deepEqual(
      parseCgroupMounts(mountinfo).map(({ path, height }) => [path, height]),
      mounts,
    ));
}

test("findCgroupMount() takes no directory that is not cgroup v2, whatever mountinfo says", (t) => {
  const root = mkdtempSync(join(tmpdir(), "cgroup-mount-"));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "self"));
  writeFileSync(join(root, "self/mountinfo"), PURE.replace("/sys/fs/cgroup", root));
  assert.equal(findCgroupMount({ procRoot: root }), undefined);
  writeFileSync(join(root, "self/mountinfo"), PURE.replace("/sys/fs/cgroup", join(root, "gone")));
  assert.equal(findCgroupMount({ procRoot: root }), undefined);
});
