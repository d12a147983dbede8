import type { Libc } from "../syscall/libc.ts";
import { CgroupHandles } from "./cgroup-handles.ts";
import { type CgroupMount, findCgroupMount } from "./cgroup-mount.ts";
import { type CgroupCounters, CgroupOwners } from "./cgroup-owners.ts";
import type { CgroupPathOwner } from "./cgroup-path.ts";
import { HostAddresses } from "./host-addresses.ts";
import { type NamespaceCounters, type NamespaceHolder, NamespaceOwners } from "./namespace-owners.ts";
import { PodAddresses, type PodSight } from "./pod-addresses.ts";
import { walkCgroups } from "./walk-cgroups.ts";

export interface HostOwnersOptions {
  /** The host's /proc: another path than "/proc" in a pod that has it mounted there. */
  readonly procRoot: string;
  /** Where the host's cgroup v2 must be mounted, or something above; undefined: wherever the most of it is seen. */
  readonly cgroupRoot?: string | undefined;
  /** The host's /var/run/netns. */
  readonly netnsPath: string;
  readonly libc: Libc | undefined;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
  /** Unix time in ms: the clock that events are told by. */
  readonly unixMs: () => number;
}

/** How the cgroup of an id is found: at once by its handle, by a walk over all of them, or not at all. */
export type CgroupMethod = "handle" | "walk" | "none";

export interface HostOwnersCounters {
  readonly cgroup: CgroupCounters | undefined;
  readonly namespace: NamespaceCounters;
}

/** What this host knows of a socket's owner, from its cgroup, its network namespace and its address. Never waits. */
export class HostOwners implements Disposable {
  /** Undefined on pure cgroup v1, where every socket is in the root of v2. */
  readonly cgroupMount: CgroupMount | undefined;
  readonly cgroupMethod: CgroupMethod;
  readonly #handles: CgroupHandles | undefined;
  readonly #cgroups: CgroupOwners | undefined;
  readonly #namespaces: NamespaceOwners;
  readonly #addresses: HostAddresses;
  readonly #podAddresses: PodAddresses;

  /** Finds the cgroup mount and what is possible with it, and looks around once. Throws only without a /proc. */
  constructor({ procRoot, cgroupRoot, netnsPath, libc, now, unixMs }: HostOwnersOptions) {
    const mount = findCgroupMount({ procRoot, under: cgroupRoot });
    this.cgroupMount = mount;
    this.#handles = mount && CgroupHandles.open(mount.path, { procRoot, libc });
    this.cgroupMethod = mount === undefined ? "none" : this.#handles === undefined ? "walk" : "handle";
    this.#cgroups = mount && new CgroupOwners({ root: mount.path, handles: this.#handles, now });
    const cgroupBase = findPath(mount, this.#handles) ?? "/";
    this.#namespaces = new NamespaceOwners({ procRoot, netnsPath, cgroupBase, now, libc });
    this.#addresses = new HostAddresses({ procRoot, now });
    this.#podAddresses = new PodAddresses({ procRoot, unixMs });
    this.refresh();
  }

  /** Undefined for the root cgroup, and for one outside what the mount shows or gone before anyone looked. */
  cgroup(id: bigint): CgroupPathOwner | undefined {
    return this.#cgroups?.owner(id);
  }

  /** Undefined when neither a mount nor a process in sight holds it, now or a while ago. */
  namespace(inum: number): NamespaceHolder | undefined {
    return this.#namespaces.owner(inum);
  }

  isHostAddress(address: string): boolean {
    return this.#addresses.has(address);
  }

  /**
   * Which pods of this host can have had an address at some time between two, in Unix ms; undefined where none is in
   * sight. Looks again where it was not looked at since, as often as that may be.
   */
  podsWithAddress(address: string, fromMs: number, untilMs: number): PodSight | undefined {
    const sight = this.#podAddresses.at(address, fromMs, untilMs);
    if (sight?.kind !== "stale" || !this.#namespaces.lookAgain()) return sight;
    this.#podAddresses.follow(this.#namespaces.pods());
    return this.#podAddresses.at(address, fromMs, untilMs);
  }

  /** Inode number of the host's own network namespace; while undefined, no namespace is given to a pod. */
  get hostNamespace(): number | undefined {
    return this.#namespaces.host;
  }

  /** Looks for what is new and forgets what is old, in bounded time. For about once a second. */
  refresh(): void {
    this.#namespaces.refresh();
    this.#cgroups?.refresh({ isCalm: this.#namespaces.isCalm });
    this.#podAddresses.follow(this.#namespaces.pods());
    this.#addresses.refresh();
  }

  counters(): HostOwnersCounters {
    return { cgroup: this.#cgroups?.counters(), namespace: this.#namespaces.counters() };
  }

  [Symbol.dispose](): void {
    this.#handles?.[Symbol.dispose]();
    this.#namespaces[Symbol.dispose]();
  }
}

/** Path of the root of this process's cgroup namespace below the mount. */
function findPath(mount: CgroupMount | undefined, handles: CgroupHandles | undefined): string | undefined {
  if (mount?.homeId === undefined) return undefined;
  if (handles !== undefined) return handles.pathOf(mount.homeId);
  for (const { id, path } of walkCgroups(mount.path)) if (id === mount.homeId) return path;
  return undefined;
}
