import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { parseMounts } from "../syscall/mountinfo.ts";

/** A network namespace of the host and the way to its counters. */
export type NetworkNamespace =
  | { readonly kind: "process"; readonly inum: number; readonly pid: number }
  | { readonly kind: "mount"; readonly inum: number; readonly path: string };

/** A mount of the nsfs file system that keeps a network namespace alive. */
export interface NamespaceMount {
  readonly inum: number;
  readonly path: string;
}

/**
 * Every network namespace that a process or a mount holds, each once, by a process where there is one.
 * One held only by an open descriptor, by a socket or by a thread that left its process's is not found.
 */
export function listNetworkNamespaces({
  procRoot,
}: {
  readonly procRoot: string;
}): readonly NetworkNamespace[] {
  const found = new Map<number, NetworkNamespace>();
  for (const name of readdirSync(procRoot)) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const inum = readNamespaceInum(pid, { procRoot });
    if (inum !== undefined && !found.has(inum)) found.set(inum, { kind: "process", inum, pid });
  }
  for (const { inum, path } of readNamespaceMounts({ procRoot })) {
    if (!found.has(inum)) found.set(inum, { kind: "mount", inum, path });
  }
  return [...found.values()];
}

/** Inode number of the network namespace that the process is in; undefined when it ended or may not be seen. */
export function readNamespaceInum(
  pid: number,
  { procRoot }: { readonly procRoot: string },
): number | undefined {
  try {
    return parseNamespaceLink(readlinkSync(`${procRoot}/${pid}/ns/net`));
  } catch {
    return undefined;
  }
}

/** Takes the number out of `net:[4026531840]` (fs/nsfs.c); undefined for any other text. */
export function parseNamespaceLink(link: string): number | undefined {
  const inum = /^net:\[(\d+)\]$/.exec(link)?.[1];
  return inum === undefined ? undefined : Number(inum);
}

/** Finds the network namespaces among the mounts of a mountinfo text (proc_pid_mountinfo(5)). */
export function parseNamespaceMounts(mountinfo: string): readonly NamespaceMount[] {
  const mounts: NamespaceMount[] = [];
  for (const { root, path } of parseMounts(mountinfo, "nsfs")) {
    const inum = parseNamespaceLink(root);
    if (inum !== undefined) mounts.push({ inum, path });
  }
  return mounts;
}

/** The mounts of network namespaces that this process or process 1 has, some of them twice. */
export function readNamespaceMounts({ procRoot }: { readonly procRoot: string }): readonly NamespaceMount[] {
  return [...readMounts("self", procRoot), ...readMounts("1", procRoot)];
}

/** The paths of process 1 are reached through its root, which may not be ours. */
function readMounts(process: "self" | "1", procRoot: string): readonly NamespaceMount[] {
  let text: string;
  try {
    text = readFileSync(join(procRoot, process, "mountinfo"), "utf8");
  } catch {
    return [];
  }
  const mounts = parseNamespaceMounts(text);
  if (process === "self") return mounts;
  return mounts.map(({ inum, path }) => ({ inum, path: join(procRoot, "1", "root", path) }));
}
