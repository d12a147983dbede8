import { type Dirent, readdirSync, statSync } from "node:fs";

/** A cgroup's directory. */
export interface CgroupDirectory {
  /** Inode number: the cgroup's id. */
  readonly id: bigint;
  /** Below the root, "/" for the root itself. */
  readonly path: string;
}

/** Visits the cgroups of a tree, each before those in it; what vanishes meanwhile is left out. About 10 µs each. */
export function* walkCgroups(root: string): Generator<CgroupDirectory, void> {
  const paths = ["/"];
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const below = path === "/" ? "" : path;
    const stat = statDirectory(root + below);
    if (stat === undefined) continue;
    yield { id: stat.ino, path };
    // A directory has one link by its name, one by its "." and one by each child's ".." (fs/kernfs/inode.c).
    if (stat.nlink === 2n) continue;
    for (const entry of listDirectory(root + below)) {
      if (entry.isDirectory()) paths.push(`${below}/${entry.name}`);
    }
  }
}

function statDirectory(path: string): { readonly ino: bigint; readonly nlink: bigint } | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined; // ENODEV while it is being removed
  }
}

function listDirectory(path: string): readonly Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}
