import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../run.ts";
import type { NodeDirs } from "./node-settings.ts";
import { type NodeSpaces, OWN_DIRS, startHolder } from "./node-spaces.ts";
import { NESTED_LINK, type NestedLink, type NodePlan } from "./plan.ts";
import { until } from "./until.ts";

const CGROUPS = "/sys/fs/cgroup";
const CONTROLLERS = "+cpu +cpuset +memory +pids +io";

/** Makes the bridge between nodes that share a kernel. */
export async function createNestedLink({ bridge, gateway }: NestedLink): Promise<void> {
  await ip(`link add ${bridge} type bridge`);
  await ip(`addr add ${gateway.v4}/24 dev ${bridge}`);
  await ip(`addr add ${gateway.v6}/64 dev ${bridge} nodad`);
  await ip(`link set ${bridge} up`);
}

/**
 * Network, mount, pid, cgroup, uts and ipc namespaces of a node that shares its kernel with others, on cgroup v2: what
 * kind gives a node. It sees its own processes and cgroups alone; the machine below sees its too.
 */
export async function nestedSpaces(
  plan: NodePlan,
  siblings: readonly NodePlan[],
  { dir, state }: NodeDirs,
): Promise<NodeSpaces> {
  const { name } = plan;
  await joinNestedLink(plan, siblings, NESTED_LINK);
  const cgroup = join(CGROUPS, name);
  mkdirSync(cgroup);
  const script = [
    "set -e",
    "mount --make-rprivate /",
    // `ip netns exec` has mounted a bare /sys
    "mount -t cgroup2 cgroup /sys/fs/cgroup; mount -t tracefs tracefs /sys/kernel/tracing",
    "mkdir /sys/fs/cgroup/init; echo $$ > /sys/fs/cgroup/init/cgroup.procs",
    "mount -t tmpfs -o mode=755 run /run; mkdir /run/containerd /run/netns",
    ...[...OWN_DIRS, state].map((path) => `mount -t tmpfs -o mode=755 node '${path}'`),
    "mount --make-rshared /",
    "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
    `hostname ${name}`,
    "echo ready",
    "exec sleep infinity",
  ].join("\n");
  const unshare = ["unshare", "-m", "-C", "-u", "-i", "-p", "-f", "--mount-proc", "sh", "-c", script];
  const join_ = ["sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec "$@"', cgroup];
  const command = [...join_, "ip", "netns", "exec", name, ...unshare] as [string, ...string[]];
  const outer = await startHolder(command, join(dir, "log/spaces.log"));
  // Only a cgroup without processes can give controllers on: what holds the namespaces from outside is in it still.
  writeFileSync(join(CGROUPS, "init/cgroup.procs"), String(outer.pid));
  writeFileSync(join(cgroup, "cgroup.subtree_control"), CONTROLLERS);
  const holder = await until("the node's first process", () =>
    readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, "utf8").trim(),
  );
  const enter = ["nsenter", "-t", holder, "-m", "-C", "-u", "-i", "-p", "-n", "--"];
  return {
    entry: ["sh", "-c", 'echo $$ > "$0/cgroup.procs"; exec "$@"', join(cgroup, "init"), ...enter],
    root: `/proc/${holder}/root`,
    // All of its processes end with the first.
    endPods: async () => {},
    end: async () => {
      process.kill(Number(holder), "SIGKILL");
      await outer.ended;
    },
  };
}

/** Makes a node's network namespace on the bridge, with ways to its siblings' pods and from outside to its own. */
export async function joinNestedLink(
  { name, address, podRange }: NodePlan,
  siblings: readonly NodePlan[],
  { bridge, gateway }: NestedLink,
): Promise<void> {
  await ip(`netns add ${name}`);
  await ip(`link add h-${name} type veth peer name eth0 netns ${name}`);
  await ip(`link set h-${name} master ${bridge} up`);
  const inside = [
    "link set lo up",
    `addr add ${address.v4}/24 dev eth0`,
    `addr add ${address.v6}/64 dev eth0 nodad`,
    "link set eth0 up",
    `route add default via ${gateway.v4}`,
    `route add default via ${gateway.v6}`,
    ...siblings.flatMap(({ podRange, address: via }) => [
      `route add ${podRange.v4} via ${via.v4}`,
      `route add ${podRange.v6} via ${via.v6}`,
    ]),
  ];
  for (const step of inside) await ip(`-n ${name} ${step}`);
  await ip(`route add ${podRange.v4} via ${address.v4}`);
  await ip(`route add ${podRange.v6} via ${address.v6}`);
}

async function ip(args: string): Promise<void> {
  await run("ip", args.split(" "));
}
