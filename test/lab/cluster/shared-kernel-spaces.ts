import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeDirs } from "./node-settings.ts";
import { type NodeSpaces, OWN_DIRS, startHolder } from "./node-spaces.ts";
import type { NodePlan } from "./plan.ts";
import { until } from "./until.ts";

/** Mount, uts, ipc and pid namespaces; that of the network is made before. */
const NAMESPACES = ["-m", "-u", "-i", "-p"];

/** How the nodes of one kernel differ from those of another. */
export interface SharedKernel {
  /** Put before a program, these arguments run it where the node begins: in its network namespace. */
  readonly within: readonly [string, ...string[]];
  /** Namespaces beside those that every such node has, as options of unshare and nsenter. */
  readonly more?: readonly string[];
  /** Lines for the shell that begin the node, after its mounts have parted from others'. */
  readonly begin?: readonly string[];
}

/**
 * Starts a node that shares its kernel with others in namespaces of its own, which its first process keeps: all of its processes
 * end with that. Beside them gives who started it, from outside.
 */
export async function sharedKernelSpaces(
  { name }: NodePlan,
  { dir, state }: NodeDirs,
  { within, more = [], begin = [] }: SharedKernel,
): Promise<NodeSpaces & { readonly outerPid: number }> {
  const script = [
    "set -e",
    "mount --make-rprivate /",
    ...begin,
    "mount -t tmpfs -o mode=755 run /run; mkdir /run/containerd /run/netns",
    ...[...OWN_DIRS, state].map((path) => `mount -t tmpfs -o mode=755 node '${path}'`),
    "mount --make-rshared /",
    "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
    `hostname ${name}`,
    "echo ready",
    "exec sleep infinity",
  ].join("\n");
  const own = [...NAMESPACES, ...more];
  const command = [...within, "unshare", ...own, "-f", "--mount-proc", "sh", "-c", script] as const;
  const outer = await startHolder(command, join(dir, "log/spaces.log"));
  const first = await until("the node's first process", () =>
    readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim(),
  );
  return {
    entry: ["nsenter", "-t", first, ...own, "-n", "--"],
    root: `/proc/${first}/root`,
    outerPid: outer.pid,
    endPods: async () => {},
    end: async () => {
      process.kill(Number(first), "SIGKILL");
      await outer.ended;
    },
  };
}
