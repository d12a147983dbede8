import { closeSync, openSync, readdirSync, statSync } from "node:fs";

/** Where the host's own network namespace is. */
export type HostNamespace =
  /** This process is in it. */
  | { readonly kind: "own" }
  /** Behind this nsfs file, which can be opened. */
  | { readonly kind: "other"; readonly path: string }
  /** None of its processes may be looked at closely enough. */
  | { readonly kind: "hidden" };

/**
 * Finds the network namespace of process 1. That process's own ns/net needs CAP_SYS_PTRACE and all of its
 * capabilities, while net/ beneath it is open to all: a file there has one inode number for each network
 * namespace (proc_register() in fs/proc/generic.c), which tells the processes that share it.
 */
export function findHostNamespace({ procRoot }: { readonly procRoot: string }): HostNamespace {
  const host = namespaceMark(`${procRoot}/1`);
  if (host === undefined) return { kind: "hidden" };
  if (namespaceMark(`${procRoot}/self`) === host) return { kind: "own" };
  for (const name of readdirSync(procRoot)) {
    if (!/^\d+$/.test(name) || namespaceMark(`${procRoot}/${name}`) !== host) continue;
    const path = `${procRoot}/${name}/ns/net`;
    if (canOpen(path)) return { kind: "other", path };
  }
  return { kind: "hidden" };
}

function namespaceMark(process: string): number | undefined {
  try {
    return statSync(`${process}/net/dev`).ino;
  } catch {
    return undefined;
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
