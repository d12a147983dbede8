import { readFileSync } from "node:fs";
import { type CgroupPathOwner, parseProcessCgroups } from "./cgroup-path.ts";
import type { Holding } from "./namespace-holders.ts";

/** Whose a network namespace is, by what holds it. */
export type ToldOwner =
  | { readonly kind: "pod"; readonly podUid: string }
  /** No pod's as far as can be told; `name` is that of its mount, unit or container. */
  | { readonly kind: "process"; readonly name: string | undefined };

/** What was told of a namespace, and by whom. */
export interface Told {
  readonly owner: ToldOwner;
  readonly holding: Holding;
  /** The process whose cgroup told it; undefined: the mount alone did. */
  readonly pid: number | undefined;
  /** The holding's, when it was told. */
  readonly revision: number;
  readonly sinceMs: number;
  /** When the process was last found in there. */
  verifiedMs: number;
}

export interface TellOptions {
  /** What was told of the same holding before. */
  readonly before: Told | undefined;
  readonly procRoot: string;
  /** The cgroup that paths in /proc/PID/cgroup start from: the root of this process's cgroup namespace. */
  readonly cgroupBase: string;
}

/** Processes whose cgroups are read to tell one namespace. */
const MAX_ASKED = 16;
/** crun moves a container's first process to its cgroup only when it is in its namespace already. */
const SETTLED_MS = 10_000;

/**
 * Tells whose a namespace is by the cgroups of the processes in it. The oldest process decides: a pod's sandbox comes before
 * what an administrator runs in there, and a nested node's first process before the hostNetwork pods of that node. What is
 * settled is not asked for again while its process stays.
 */
export function tellNamespace(
  holding: Holding,
  nowMs: number,
  { before, procRoot, cgroupBase }: TellOptions,
): Told {
  const isSettled =
    before !== undefined && (before.owner.kind === "pod" || nowMs - before.sinceMs >= SETTLED_MS);
  if (isSettled && before.revision === holding.revision) return before;
  const since = { revision: holding.revision, sinceMs: before?.sinceMs ?? nowMs, verifiedMs: nowMs };
  if (isSettled && before.pid !== undefined && holding.pids.has(before.pid)) return { ...before, ...since };
  let asked = 0;
  for (const pid of holding.pids) {
    if (asked++ === MAX_ASKED) break;
    const owner = readCgroupOwner(pid, { procRoot, cgroupBase });
    // A pod stays the owner until another is: its processes may end before its namespace.
    if (owner === undefined || (before?.owner.kind === "pod" && owner.kind !== "pod")) continue;
    return { owner: nameOwner(owner, holding), holding, pid, ...since };
  }
  if (before !== undefined) return { ...before, pid: undefined, ...since };
  return { owner: { kind: "process", name: mountName(holding) }, holding, pid: undefined, ...since };
}

function readCgroupOwner(
  pid: number,
  { procRoot, cgroupBase }: Pick<TellOptions, "procRoot" | "cgroupBase">,
): CgroupPathOwner | undefined {
  try {
    return parseProcessCgroups(readFileSync(`${procRoot}/${pid}/cgroup`, "latin1"), { base: cgroupBase });
  } catch {
    return undefined; // ESRCH: it has ended
  }
}

function nameOwner(owner: CgroupPathOwner, holding: Holding): ToldOwner {
  if (owner.kind === "pod") return { kind: "pod", podUid: owner.podUid };
  return { kind: "process", name: mountName(holding) ?? owner.name };
}

/** Undefined for the names that container runtimes make up (`cni-<uuid>`, hexadecimal digits). */
function mountName({ mountName }: Holding): string | undefined {
  return mountName === undefined || /^cni-|^[0-9a-f-]{12,}$/.test(mountName) ? undefined : mountName;
}
