import { readdirSync, statSync } from "node:fs";
import { basename } from "node:path";
import { readNetInode } from "./host-namespace.ts";
import { readNamespaceInum, readNamespaceMounts } from "./network-namespaces.ts";

export interface NamespaceHoldersOptions {
  readonly procRoot: string;
  /** Directory of namespace mounts, as container runtimes and `ip netns` fill it: /var/run/netns. */
  readonly netnsPath: string;
}

/**
 * What holds a network namespace. The object stays the same while one holder at least stays: only when there is
 * none left can the kernel give the inode number to another namespace, and it gives the lowest free one.
 */
export interface Holding {
  readonly inum: number;
  /** Processes in it, those first seen first. */
  readonly pids: ReadonlySet<number>;
  /** Name of a mount of it. */
  readonly mountName: string | undefined;
  /** Changes when a process joins or leaves. */
  readonly revision: number;
}

interface OwnHolding extends Holding {
  readonly pids: Set<number>;
  mountName: string | undefined;
  revision: number;
}

interface Sight {
  /** Undefined for a zombie, or without the privilege to see it. */
  inum: number | undefined;
  /** It is in a namespace that is not the host's, and nobody says which. */
  hidden: boolean;
  readonly firstSeenMs: number;
  scan: number;
}

/** A process may still move to another namespace until it is this old; container runtimes' do. */
const SETTLED_MS = 10_000;
/** Settled processes are asked again in turn, all of them within so many scans. */
const TURNS = 32;
/** The mounts of a node with many pods are a megabyte of text. */
const MOUNTINFO_INTERVAL_MS = 5_000;

/** The network namespaces of the host with what holds them, by scans of /proc that ask only new processes. */
export class NamespaceHolders {
  readonly #procRoot: string;
  readonly #netnsPath: string;
  readonly #holdings = new Map<number, OwnHolding>();
  readonly #sights = new Map<number, Sight>();
  #scans = 0;
  #hidden = 0;
  #mountinfo: ReadonlyMap<number, string> = new Map();
  #nextMountinfoMs = Number.NEGATIVE_INFINITY;

  constructor({ procRoot, netnsPath }: NamespaceHoldersOptions) {
    this.#procRoot = procRoot;
    this.#netnsPath = netnsPath;
  }

  get holdings(): ReadonlyMap<number, Holding> {
    return this.#holdings;
  }

  /** Processes whose namespace is not the host's and cannot be seen, for want of CAP_SYS_PTRACE. */
  get hidden(): number {
    return this.#hidden;
  }

  get pids(): Iterable<number> {
    return this.#sights.keys();
  }

  /** Looks again; `thorough` reads every mount too, even if that was done a moment ago. */
  scan(nowMs: number, { thorough }: { readonly thorough: boolean }): void {
    this.#scans++;
    const arrivals = this.#readProcesses(nowMs);
    const mounts = this.#readMounts(nowMs, thorough);
    // Who left goes first, so that a number given twice between two scans makes a new holding.
    for (const [pid, sight] of this.#sights) {
      if (sight.scan === this.#scans) continue;
      this.#leave(pid, sight.inum);
      this.#setHidden(sight, false);
      this.#sights.delete(pid);
    }
    for (const [inum, holding] of this.#holdings) {
      if (holding.mountName !== mounts.get(inum)) holding.mountName = undefined;
      if (holding.pids.size === 0 && holding.mountName === undefined) this.#holdings.delete(inum);
    }
    for (const [inum, name] of mounts) this.#holding(inum).mountName = name;
    for (const [pid, inum] of arrivals) this.#join(pid, inum);
  }

  /** Gives the processes that are in a namespace where they were not at the last scan. */
  #readProcesses(nowMs: number): readonly (readonly [pid: number, inum: number])[] {
    const arrivals: (readonly [number, number])[] = [];
    for (const name of readdirSync(this.#procRoot)) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      const sight = this.#sights.get(pid) ?? { inum: undefined, hidden: false, firstSeenMs: nowMs, scan: 0 };
      const settled = nowMs - sight.firstSeenMs >= SETTLED_MS;
      const asked = !settled || sight.scan === 0 || pid % TURNS === this.#scans % TURNS;
      sight.scan = this.#scans;
      this.#sights.set(pid, sight);
      if (!asked) continue;
      const inum = readNamespaceInum(pid, { procRoot: this.#procRoot });
      this.#setHidden(sight, inum === undefined && this.#isElsewhere(pid));
      if (inum === sight.inum) continue;
      this.#leave(pid, sight.inum);
      sight.inum = inum;
      if (inum !== undefined) arrivals.push([pid, inum]);
    }
    return arrivals;
  }

  /** A zombie is nowhere. */
  #isElsewhere(pid: number): boolean {
    const inode = readNetInode(pid, { procRoot: this.#procRoot });
    return inode !== undefined && inode !== readNetInode(1, { procRoot: this.#procRoot });
  }

  #setHidden(sight: Sight, hidden: boolean): void {
    this.#hidden += Number(hidden) - Number(sight.hidden);
    sight.hidden = hidden;
  }

  #readMounts(nowMs: number, thorough: boolean): ReadonlyMap<number, string> {
    if (thorough || nowMs >= this.#nextMountinfoMs) {
      const mounts = readNamespaceMounts({ procRoot: this.#procRoot });
      this.#mountinfo = new Map(mounts.map(({ inum, path }) => [inum, basename(path)]));
      this.#nextMountinfoMs = nowMs + MOUNTINFO_INTERVAL_MS;
    }
    return new Map([...this.#mountinfo, ...readNamespaceDirectory(this.#netnsPath)]);
  }

  #holding(inum: number): OwnHolding {
    let holding = this.#holdings.get(inum);
    if (holding === undefined) {
      holding = { inum, pids: new Set(), mountName: undefined, revision: 0 };
      this.#holdings.set(inum, holding);
    }
    return holding;
  }

  #join(pid: number, inum: number): void {
    const holding = this.#holding(inum);
    holding.pids.add(pid);
    holding.revision++;
  }

  #leave(pid: number, inum: number | undefined): void {
    const holding = inum === undefined ? undefined : this.#holdings.get(inum);
    if (holding?.pids.delete(pid)) holding.revision++;
  }
}

/** Empty where there is no such directory. */
function readNamespaceDirectory(path: string): readonly (readonly [inum: number, name: string])[] {
  const found: (readonly [number, string])[] = [];
  for (const name of listNames(path)) {
    const inum = inodeOf(`${path}/${name}`);
    if (inum !== undefined) found.push([inum, name]);
  }
  return found;
}

/** Undefined where it is gone by now, or is no mount at all but a link that leads nowhere. */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

function listNames(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
