import { closeSync, openSync, readdirSync, statSync } from "node:fs";
import { readNamespaceInum } from "./network-namespaces.ts";

/** Where the host's own network namespace is. */
export type HostNamespace =
  /** This process is in it. */
  | { readonly kind: "own" }
  /** Behind this nsfs file, which can be opened. */
  | { readonly kind: "other"; readonly path: string }
  /** None of its processes may be looked at closely enough. */
  | { readonly kind: "hidden" };

/** Finds the network namespace of process 1, and a way into it. */
export function findHostNamespace({ procRoot }: { readonly procRoot: string }): HostNamespace {
  const host = readNetInode(1, { procRoot });
  if (host === undefined) return { kind: "hidden" };
  if (readNetInode("self", { procRoot }) === host) return { kind: "own" };
  for (const name of readdirSync(procRoot)) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || readNetInode(pid, { procRoot }) !== host) continue;
    const path = `${procRoot}/${pid}/ns/net`;
    if (canOpen(path)) return { kind: "other", path };
  }
  return { kind: "hidden" };
}

/**
 * Inode number of the network namespace of process 1, which is the node's own. Undefined when it cannot be told.
 * Its /proc/1/ns/net needs more privilege than a pod has (CAP_SYS_PTRACE and all of its capabilities); so another process in the same namespace will do, told
 * by the inode of /proc/PID/net/dev: anyone may read it, and each namespace has its own (fs/proc/generic.c).
 */
export function findHostNamespaceInum(
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
export function readNetInode(
  pid: number | "self",
  { procRoot }: { readonly procRoot: string },
): number | undefined {
  try {
    return statSync(`${procRoot}/${pid}/net/dev`, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined; // EINVAL for a zombie
  }
}

function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return true;
  } catch {
    return false;
  }
}
