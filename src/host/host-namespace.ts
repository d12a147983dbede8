import { statSync } from "node:fs";
import { readNamespaceInum } from "./network-namespaces.ts";

/**
 * Inode number of the network namespace of process 1, which is the node's own. Undefined when it cannot be told.
 * Its /proc/1/ns/net needs more privilege than a pod has; so another process in the same namespace will do, told
 * by the inode of /proc/PID/net/dev: anyone may read it, and each namespace has its own (fs/proc/generic.c).
 */
export function findHostNamespace(
  pids: Iterable<number>,
  { procRoot }: { readonly procRoot: string },
): number | undefined {
  const direct = readNamespaceInum(1, { procRoot });
  if (direct !== undefined) return direct;
  const wanted = readNetInode(1, { procRoot });
  if (wanted === undefined) return undefined;
  for (const pid of pids) {
    if (readNetInode(pid, { procRoot }) !== wanted) continue;
    const inum = readNamespaceInum(pid, { procRoot });
    if (inum !== undefined) return inum;
  }
  return undefined;
}

/** Inode number of the process's /proc/PID/net/dev: the same for processes of one namespace. */
export function readNetInode(pid: number, { procRoot }: { readonly procRoot: string }): number | undefined {
  try {
    return statSync(`${procRoot}/${pid}/net/dev`, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined; // EINVAL for a zombie
  }
}
