import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../run.ts";
import type { NodeDirs } from "./node-settings.ts";
import type { NodeSpaces } from "./node-spaces.ts";
import { NESTED_LINK, type NestedLink, type NodePlan } from "./plan.ts";
import { sharedKernelSpaces } from "./shared-kernel-spaces.ts";

const CGROUPS = "/sys/fs/cgroup";
const CONTROLLERS = "+cpu +cpuset +memory +pids +io";
/** For the shell: joins the cgroup that is its first argument and becomes what follows. */
const ENTER_CGROUP = 'echo $$ > "$0/cgroup.procs"; exec "$@"';

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
  dirs: NodeDirs,
): Promise<NodeSpaces> {
  const { name } = plan;
  await joinNestedLink(plan, siblings, NESTED_LINK);
  const cgroup = join(CGROUPS, name);
  mkdirSync(cgroup);
  const { outerPid, ...spaces } = await sharedKernelSpaces(plan, dirs, {
    within: ["sh", "-c", ENTER_CGROUP, cgroup, "ip", "netns", "exec", name],
    more: ["-C"],
    begin: [
      // `ip netns exec` has mounted a bare /sys
      "mount -t cgroup2 cgroup /sys/fs/cgroup; mount -t tracefs tracefs /sys/kernel/tracing",
      "mkdir /sys/fs/cgroup/init; echo $$ > /sys/fs/cgroup/init/cgroup.procs",
    ],
  });
  // Only a cgroup without processes can give controllers on: what holds the namespaces from outside is in it still.
  writeFileSync(join(CGROUPS, "init/cgroup.procs"), String(outerPid));
  writeFileSync(join(cgroup, "cgroup.subtree_control"), CONTROLLERS);
  writeFileSync(join(cgroup, "cpu.weight"), "1000"); // no less than the programs of the node below
  const entry = ["sh", "-c", ENTER_CGROUP, join(cgroup, "init"), ...spaces.entry] as const;
  return { ...spaces, entry };
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
