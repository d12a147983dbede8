import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCgroupPath, parseProcessCgroups } from "../../src/host/cgroup-path.ts";

const UID = "2b4f0c1e-9a57-4d0b-8a3c-5f6e7d8c9b0a";
const UID_ = UID.replaceAll("-", "_");
const ID = "3f2a9c1b7d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";
const ID2 = "0011223344556677889900aabbccddeeff0011223344556677889900aabbccdd";
const HASH = "d41d8cd98f00b204e9800998ecf8427e";
const SLICE = `kubepods-burstable-pod${UID_}.slice`;
const BURSTABLE = `/kubepods.slice/kubepods-burstable.slice/${SLICE}`;

const PODS = [
  ["containerd, systemd, burstable", `${BURSTABLE}/cri-containerd-${ID}.scope`],
  [
    "containerd, systemd, best effort",
    `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${UID_}.slice/cri-containerd-${ID}.scope`,
  ],
  ["containerd, systemd, guaranteed", `/kubepods.slice/kubepods-pod${UID_}.slice/cri-containerd-${ID}.scope`],
  ["containerd, cgroupfs, burstable", `/kubepods/burstable/pod${UID}/${ID}`],
  ["containerd, cgroupfs, best effort", `/kubepods/besteffort/pod${UID}/${ID}`],
  ["containerd, cgroupfs, guaranteed", `/kubepods/pod${UID}/${ID}`],
  [
    "containerd's cgroupfs under kubelet's systemd",
    `/system.slice/containerd.service/${SLICE}:cri-containerd:${ID}`,
  ],
  ["the same in its own directory", `${BURSTABLE}/cri-containerd:${ID}`],
  ["CRI-O", `${BURSTABLE}/crio-${ID}.scope`],
  ["CRI-O with crun, whose processes are one deeper", `${BURSTABLE}/crio-${ID}.scope/container`],
  ["Docker, systemd", `${BURSTABLE}/docker-${ID}.scope`],
  ["Docker, cgroupfs", `/kubepods/burstable/pod${UID}/${ID}`],
  ["Kata", `/kubepods/burstable/pod${UID}/kata_${ID}`],
  ["systemd within the container", `${BURSTABLE}/cri-containerd-${ID}.scope/system.slice/nginx.service`],
  ["containers within the container", `${BURSTABLE}/cri-containerd-${ID}.scope/docker/${ID2}`],
  ["pods within the container", `${BURSTABLE}/cri-containerd-${ID}.scope/kubepods/podinner/${ID2}`],
  [
    "kind, systemd",
    `/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-${SLICE}/cri-containerd-${ID}.scope`,
  ],
  [
    "kind seen from its host",
    `/system.slice/docker-${ID2}.scope/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod${UID_}.slice/cri-containerd-${ID}.scope`,
  ],
  ["kind, cgroupfs", `/kubelet/kubepods/burstable/pod${UID}/${ID}`],
  ["kind, cgroupfs, seen from its host", `/docker/${ID2}/kubelet/kubepods/burstable/pod${UID}/${ID}`],
  ["a nested node of another name", `/node-b/kubepods/besteffort/pod${UID}/${ID}`],
  ["beyond the reader's cgroup namespace", `/../../../${SLICE}/cri-containerd-${ID}.scope`],
] as const;
for (const [name, path] of PODS) {
  test(`parseCgroupPath() finds pod and container of ${name}`, () =>
    assert.deepEqual(parseCgroupPath(path), { kind: "pod", podUid: UID, containerId: ID }));
}

const NO_CONTAINER = [
  ["the pod's own cgroup, systemd", BURSTABLE, UID],
  ["the pod's own cgroup, cgroupfs", `/kubepods/pod${UID}`, UID],
  ["CRI-O's monitor of a container", `${BURSTABLE}/crio-conmon-${ID}.scope`, UID],
  ["an unknown directory within the pod", `/kubepods/burstable/pod${UID}/supervisor`, UID],
  [
    "a static pod, systemd",
    `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${HASH}.slice`,
    HASH,
  ],
  ["a static pod, cgroupfs", `/kubepods/burstable/pod${HASH}`, HASH],
] as const;
for (const [name, path, podUid] of NO_CONTAINER) {
  test(`parseCgroupPath() finds no container in ${name}`, () =>
    assert.deepEqual(parseCgroupPath(path), { kind: "pod", podUid, containerId: undefined }));
}

const PROCESSES = [
  ["/system.slice/sshd.service", "sshd.service"],
  ["/system.slice/kubelet.service", "kubelet.service"],
  ["/kubelet.slice/kubelet.service", "kubelet.service"],
  ["/system.slice/containerd.service/supervised", "containerd.service"],
  ["/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"],
  ["/system.slice/dbus.socket", "dbus.socket"],
  ["/system.slice/tap@00:1a:2b.service", "tap@00:1a:2b.service"],
  ["/init.scope", "init.scope"],
  ["/user.slice/user-1000.slice/session-3.scope", "session-3.scope"],
  ["/user.slice/user-1000.slice/user@1000.service/init.scope", "user@1000.service"],
  ["/user.slice/user-1000.slice/user@1000.service/app.slice/sync.service", "sync.service"],
  ["/user.slice/user-1000.slice", "user-1000.slice"],
  [`/system.slice/docker-${ID}.scope`, "docker-3f2a9c1b7d4e"],
  [`/system.slice/docker-${ID}.scope/system.slice/ssh.service`, "docker-3f2a9c1b7d4e"],
  [`/docker/${ID}`, "docker-3f2a9c1b7d4e"],
  [`/machine.slice/libpod-${ID}.scope/container`, "libpod-3f2a9c1b7d4e"],
  [`/machine.slice/libpod-conmon-${ID}.scope`, "libpod-conmon-3f2a9c1b7d4e.scope"],
  ["/machine.slice/machine-qemu\\x2d1\\x2dweb.scope", "machine-qemu\\x2d1\\x2dweb.scope"],
  ["/kubepods.slice", "kubepods.slice"],
  ["/kubepods/burstable", "/kubepods/burstable"],
  ["/podman/x", "/podman/x"],
  ["/lxc/web", "/lxc/web"],
  [`/${ID}`, "3f2a9c1b7d4e"],
] as const;
for (const [path, name] of PROCESSES) {
  test(`parseCgroupPath() names ${path} as ${name}`, () =>
    assert.deepEqual(parseCgroupPath(path), { kind: "process", name }));
}

test("parseCgroupPath() says nothing of the root", () => {
  for (const path of ["/", "", "/..", "/../.."]) assert.equal(parseCgroupPath(path), undefined, path);
});

const base = "/";

test("parseProcessCgroups() takes a pod from any hierarchy of cgroup v1, v2 first for a process", () => {
  const pod = { kind: "pod", podUid: UID, containerId: ID };
  const v1 = `11:memory:/kubepods/burstable/pod${UID}/${ID}\n1:name=systemd:/\n0::/\n`;
  assert.deepEqual(parseProcessCgroups(v1, { base }), pod);
  assert.deepEqual(parseProcessCgroups(`0::${BURSTABLE}/crio-${ID}.scope\n`, { base }), pod);
  const hybrid = "5:memory:/x\n1:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n";
  assert.deepEqual(parseProcessCgroups(hybrid, { base }), { kind: "process", name: "b.service" });
  assert.deepEqual(parseProcessCgroups(hybrid.replace("/system.slice/b.service", "/"), { base }), {
    kind: "process",
    name: "a.service",
  });
  assert.equal(parseProcessCgroups("4:memory:/process_api/x\n0::/\n", { base }), undefined);
  assert.equal(parseProcessCgroups("", { base }), undefined);
});

test("parseProcessCgroups() resolves paths that leave the reader's cgroup namespace", () => {
  const own = `/kubepods/burstable/pod${HASH}/${ID2}`;
  const owners = [
    ["0::/\n", { kind: "pod", podUid: HASH, containerId: ID2 }],
    [`0::/../${ID}\n`, { kind: "pod", podUid: HASH, containerId: ID }],
    [`0::/../../pod${UID}/${ID}\n`, { kind: "pod", podUid: UID, containerId: ID }],
    [`0::/../../../besteffort/pod${UID}/${ID}\n`, { kind: "pod", podUid: UID, containerId: ID }],
    ["0::/../../../../system.slice/sshd.service\n", { kind: "process", name: "sshd.service" }],
    ["0::/../../../..\n", undefined],
    ["4:pids:/\n0::/../../../..\n", undefined],
  ] as const;
  for (const [text, owner] of owners) assert.deepEqual(parseProcessCgroups(text, { base: own }), owner, text);
});
