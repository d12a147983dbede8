import { readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseMounts } from "../syscall/mountinfo.ts";

/** Where cgroup v2 directories are to be seen. */
export interface CgroupMount {
  readonly path: string;
  /** Whether it shows the whole hierarchy, not only the part of a cgroup namespace or a container's own. */
  readonly whole: boolean;
  /** Id of the root of this process's cgroup namespace, where the mount shows more than that. */
  readonly homeId: bigint | undefined;
}

export interface CgroupMountOptions {
  readonly procRoot: string;
  /** Only a mount at or below this path will do, as the host's that a pod has at a path of its own. */
  readonly under?: string | undefined;
}

/** include/uapi/linux/magic.h: CGROUP2_SUPER_MAGIC */
const CGROUP2_SUPER_MAGIC = 0x63677270;

/** The root's inode number: kernfs gives its first number to it (fs/kernfs/dir.c, since 5.5). */
const ROOT_ID = 1n;

/** Finds the cgroup v2 mount that shows the most: of pure v2, or the v2 tree of a v1 hybrid. Undefined on pure v1. */
export function findCgroupMount({ procRoot, under = "/" }: CgroupMountOptions): CgroupMount | undefined {
  const mountinfo = readFileSync(join(procRoot, "self", "mountinfo"), "utf8");
  const prefix = under.endsWith("/") ? under : `${under}/`;
  const mounts = parseCgroupMounts(mountinfo);
  for (const { path, height } of mounts) {
    const id = `${path}/`.startsWith(prefix) ? readDirectoryId(path) : undefined;
    if (id === undefined) continue;
    const home = height > 0 ? mounts.find((mount) => mount.height === 0) : undefined;
    return { path, whole: id === ROOT_ID, homeId: home && readDirectoryId(home.path) };
  }
  return undefined;
}

/** A mount of cgroup v2, and how many steps its root lies above that of this process's cgroup namespace. */
export interface CgroupMountLine {
  readonly path: string;
  readonly height: number;
}

/** The cgroup v2 mounts, those first that show more of the hierarchy. */
export function parseCgroupMounts(mountinfo: string): readonly CgroupMountLine[] {
  return parseMounts(mountinfo, "cgroup2")
    .map(({ path, root }) => ({ path, height: heightOf(root) }))
    .toSorted((a, b) => b.height - a.height);
}

/** `/../..` is the host's hierarchy seen from within a cgroup namespace, `/a/b` a part of the namespace's own. */
function heightOf(root: string): number {
  let steps = 0;
  for (const name of root.split("/")) if (name !== "") steps += name === ".." ? 1 : -1;
  return steps;
}

/** Undefined when another mount lies over it, or it may not be read. */
function readDirectoryId(path: string): bigint | undefined {
  try {
    if (statfsSync(path).type !== CGROUP2_SUPER_MAGIC) return undefined;
    return statSync(path, { bigint: true }).ino;
  } catch {
    return undefined;
  }
}
