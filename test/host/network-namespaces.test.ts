import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  listNetworkNamespaces,
  parseNamespaceLink,
  parseNamespaceMounts,
} from "../../src/host/network-namespaces.ts";

/** As `ip netns add` leaves it on 6.18, and a mount of another kind of namespace. */
const MOUNTINFO = `27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
43 27 0:25 / /run/netns rw shared:5 - tmpfs tmpfs rw
44 43 0:4 net:[4026532200] /run/netns/blue rw shared:6 - nsfs nsfs rw
45 43 0:4 net:[4026532300] /run/netns/with\\040blank rw - nsfs nsfs rw
46 43 0:4 mnt:[4026532400] /run/mntns/x rw - nsfs nsfs rw
`;

test("parseNamespaceLink() takes the inode number of a network namespace and of nothing else", () => {
  assert.equal(parseNamespaceLink("net:[4026531840]"), 4026531840);
  assert.equal(parseNamespaceLink("mnt:[4026531840]"), undefined);
  assert.equal(parseNamespaceLink(""), undefined);
});

test("parseNamespaceMounts() finds the network namespaces, with their paths unescaped", () => {
  assert.deepEqual(parseNamespaceMounts(MOUNTINFO), [
    { inum: 4026532200, path: "/run/netns/blue" },
    { inum: 4026532300, path: "/run/netns/with blank" },
  ]);
});

test("listNetworkNamespaces() gives each namespace once, by a process where one holds it", (t) => {
  const root = mkdtempSync(join(tmpdir(), "netns-"));
  t.after(() => rmSync(root, { recursive: true }));
  const addProcess = (pid: string, link?: string) => {
    mkdirSync(join(root, pid, "ns"), { recursive: true });
    if (link !== undefined) symlinkSync(link, join(root, pid, "ns/net"));
  };
  addProcess("1", "net:[4026531840]");
  addProcess("7", "net:[4026531840]");
  addProcess("8", "net:[4026532200]");
  addProcess("9"); // a zombie has no namespace
  mkdirSync(join(root, "sys"));
  writeFileSync(join(root, "1/mountinfo"), MOUNTINFO.replace("4026532300", "4026532999"));
  mkdirSync(join(root, "self"));
  writeFileSync(join(root, "self/mountinfo"), MOUNTINFO);
  const found = listNetworkNamespaces({ procRoot: root }).toSorted((a, b) => a.inum - b.inum);
  assert.deepEqual(found, [
    { kind: "process", inum: 4026531840, pid: 1 },
    { kind: "process", inum: 4026532200, pid: 8 },
    { kind: "mount", inum: 4026532300, path: "/run/netns/with blank" },
    { kind: "mount", inum: 4026532999, path: join(root, "1/root/run/netns/with blank") },
  ]);
});
