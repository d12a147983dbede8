import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../run.ts";
import { createNestedLink, joinNestedLink } from "./nested-spaces.ts";
import type { NodeDirs } from "./node-settings.ts";
import type { NodeSpaces } from "./node-spaces.ts";
import { type NodePlan, SIBLING_LINK, SIBLING_NODES } from "./plan.ts";
import { sharedKernelSpaces } from "./shared-kernel-spaces.ts";
import { until } from "./until.ts";

const CGROUPS = "/sys/fs/cgroup";

/** Makes the bridge between the siblings and this machine; what it gives takes that away, when they have ended. */
export async function createSiblingLink(): Promise<AsyncDisposable> {
  await removeSiblings();
  await createNestedLink(SIBLING_LINK);
  return { [Symbol.asyncDispose]: removeSiblings };
}

/**
 * Network, mount, pid, uts and ipc namespaces of a node on this machine's kernel beside its own node. Without a cgroup
 * namespace (v1 and v2 side by side, as they are here) its pods' cgroups are below one of its name, in sight of all.
 */
export async function siblingSpaces(plan: NodePlan, dirs: NodeDirs): Promise<NodeSpaces> {
  const { name } = plan;
  await joinNestedLink(
    plan,
    SIBLING_NODES.filter((other) => other !== plan),
    SIBLING_LINK,
  );
  makeCgroups(name);
  return sharedKernelSpaces(plan, dirs, { within: ["nsenter", `--net=/run/netns/${name}`] });
}

/** Takes away whatever of them there is, of this run or of one that was killed. Their processes have ended. */
export async function removeSiblings(): Promise<void> {
  for (const { name } of SIBLING_NODES) {
    await run("ip", ["link", "del", `h-${name}`]).catch(() => {});
    await run("ip", ["netns", "del", name]).catch(() => {});
    const roots = hierarchies().map((path) => join(path, name));
    await until(`the end of the cgroups of ${name}`, () => roots.every(removeTree));
  }
  await run("ip", ["link", "del", SIBLING_LINK.bridge]).catch(() => {});
}

/** Of cgroup v1 and v2, where both are mounted. */
function hierarchies(): readonly string[] {
  if (existsSync(join(CGROUPS, "cgroup.controllers"))) return [CGROUPS];
  return readdirSync(CGROUPS).map((name) => join(CGROUPS, name));
}

/** kubelet makes none above its pods'. A cpuset takes nobody before it has processors and memory. */
function makeCgroups(name: string): void {
  for (const path of hierarchies()) mkdirSync(join(path, name));
  const cpuset = join(CGROUPS, "cpuset");
  if (!existsSync(cpuset)) return;
  for (const file of ["cpuset.cpus", "cpuset.mems"])
    writeFileSync(join(cpuset, name, file), readFileSync(join(cpuset, file)));
}

/** Whether nothing is left of it. */
function removeTree(root: string): boolean {
  if (!existsSync(root)) return true;
  for (const entry of readdirSync(root, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(root, entry.name));
  rmdirSync(root);
  return true;
}
