import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../run.ts";
import { Daemon } from "./daemon.ts";
import type { NodeDirs } from "./node-settings.ts";
import { killNow, members, mountsOf } from "./sweep.ts";
import { until } from "./until.ts";

/** The namespaces that a node's programs live in. */
export interface NodeSpaces {
  /** Put before a program's name, these arguments run it as a process of the node. */
  readonly entry: readonly [string, ...string[]];
  /** The node's root directory, as seen from outside. */
  readonly root: string;
  /** Ends its pods, where the end of the spaces does not. */
  endPods(): Promise<void>;
  /** Ends every process in them. */
  end(): Promise<void>;
}

const CGROUPS = "/sys/fs/cgroup";
/** Directories that containerd, kubelet and CNI write to by name: the node has its own, in memory. */
export const OWN_DIRS = ["/var/lib", "/var/log", "/run/containerd"];

/** A mount namespace alone: mounts end with it, every other namespace is the host's. */
export async function ownMounts({ dir, state }: NodeDirs): Promise<NodeSpaces> {
  await sweepNode();
  mkdirSync("/run/containerd", { recursive: true });
  const script = [
    "set -e",
    ...[...OWN_DIRS, state].map((path) => `mount -t tmpfs -o mode=755 node '${path}'`),
    "mount --make-rshared /", // mountPropagation of pods needs shared mounts
    "echo ready",
    "exec sleep infinity",
  ].join("\n");
  const command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script] as const;
  const holder = await startHolder(command, join(dir, "log/spaces.log"));
  const mounts = mountsOf(holder.pid);
  return {
    entry: ["nsenter", "-t", String(holder.pid), "-m", "--"],
    root: `/proc/${holder.pid}/root`,
    endPods,
    end: async () => {
      await holder.stop("SIGKILL");
      await until("the end of the node's processes", () => {
        for (const pid of members(mounts)) killNow(pid);
        return members(mounts).length === 0;
      });
      await sweepNode();
    },
  };
}

/** Starts the process that keeps namespaces, and waits until it says `ready`. */
export async function startHolder(command: readonly [string, ...string[]], logFile: string): Promise<Daemon> {
  const holder = Daemon.start("spaces", command, { logFile });
  await until("the node's namespaces", async () => {
    if (!holder.running) throw new Error(await holder.lastWords());
    return (await holder.lastWords()).includes("ready");
  });
  return holder;
}

/** Ends every process in a pod's cgroup. */
export async function endPods(): Promise<void> {
  await until("the end of the pods", async () => {
    const pids = podCgroups().flatMap((dir) => readLines(join(dir, "cgroup.procs")).map(Number));
    for (const pid of pids) killNow(pid);
    if (pids.length > 0) await sleep(50);
    return pids.length === 0;
  });
}

/** Takes away what a node leaves on its kernel, of this run or of one that was killed. Its processes have ended. */
async function sweepNode(): Promise<void> {
  for (const dir of podCgroups().toReversed()) {
    try {
      rmdirSync(dir);
    } catch {
      // still being emptied: the comparison of before and after would tell
    }
  }
  for (const name of existsSync("/run/netns") ? readdirSync("/run/netns") : []) {
    // Mounted only in the node's namespace: here it is a plain file.
    if (name.startsWith("cni-")) rmSync(join("/run/netns", name), { force: true });
  }
  if (existsSync("/run/containerd") && readdirSync("/run/containerd").length === 0)
    rmdirSync("/run/containerd");
  // A dead pod's sockets may keep its namespace, and so its link, for minutes: while data of theirs is not acknowledged.
  for (const link of readdirSync("/sys/class/net"))
    if (existsSync(`/sys/class/net/cni0/lower_${link}`)) await quietly("ip", ["link", "del", link]);
  await quietly("ip", ["link", "del", "cni0"]);
  for (const family of ["ip", "ip6"]) await quietly("nft", ["delete", "table", family, "kube-proxy"]);
}

/** Directories of pods in every hierarchy, parents first. */
function podCgroups(): readonly string[] {
  const roots = existsSync(join(CGROUPS, "cgroup.controllers"))
    ? [CGROUPS]
    : readdirSync(CGROUPS).map((name) => join(CGROUPS, name));
  const found = roots.map((root) => join(root, "kubepods")).filter((path) => existsSync(path));
  for (const dir of found) {
    for (const entry of readdirSync(dir, { withFileTypes: true }))
      if (entry.isDirectory()) found.push(join(dir, entry.name));
  }
  return found;
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

async function quietly(program: string, args: readonly string[]): Promise<void> {
  await run(program, args).catch(() => {});
}
