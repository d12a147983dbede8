import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMounts } from "../../src/syscall/mountinfo.ts";

const MOUNTINFO = `22 1 0:20 / /proc rw,relatime shared:5 - proc proc rw
30 22 0:7 / /sys/kernel/tracing rw,nosuid shared:9 master:2 - tracefs tracefs rw,gid=5
31 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate
32 22 0:26 /a\\040b /mnt/with\\011tab\\134 ro - cgroup2 none rw
33 22 0:9 / /mnt/trap rw - ext4 /dev/x rw,comment=a
34 22 0:9 / /mnt/cut rw - cgroup2
35 22
`;

test("parseMounts() gives the mounts of one type in order, unescaped, whatever tags stand between", () => {
  assert.deepEqual(parseMounts(MOUNTINFO, "tracefs"), [
    {
      root: "/",
      path: "/sys/kernel/tracing",
      options: ["rw", "nosuid"],
      superOptions: ["rw", "gid=5"],
      source: "tracefs",
    },
  ]);
  assert.deepEqual(
    parseMounts(MOUNTINFO, "cgroup2").map(({ root, path, source }) => [root, path, source]),
    [
      ["/", "/sys/fs/cgroup", "cgroup2"],
      ["/a b", "/mnt/with\ttab\\", "none"],
    ],
  );
  assert.deepEqual(parseMounts(MOUNTINFO, "nsfs"), []);
  assert.deepEqual(parseMounts("", "proc"), []);
});
