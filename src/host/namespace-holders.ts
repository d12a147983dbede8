import { basename } from "node:path";
import type { Libc } from "../syscall/libc.ts";
import { readNetInode } from "./host-namespace.ts";
import { NamespaceDirectory } from "./namespace-directory.ts";
import { readNamespaceInum, readNamespaceMounts } from "./network-namespaces.ts";
import { ProcessList, type ProcessLook } from "./process-list.ts";

export interface NamespaceHoldersOptions {
  readonly procRoot: string;
  /** Directory of namespace mounts, as container runtimes and `ip netns` fill it: /var/run/netns. */
  readonly netnsPath: string;
  readonly libc: Libc | undefined;
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
export class NamespaceHolders implements Disposable {
  readonly #procRoot: string;
  readonly #processes: ProcessList;
  readonly #directory: NamespaceDirectory;
  readonly #holdings = new Map<number, OwnHolding>();
  readonly #sights = new Map<number, Sight>();
  #scans = 0;
  #hidden = 0;
  #isCalm = false;
  #mountinfo: ReadonlyMap<number, string> = new Map();
  #nextMountinfoMs = Number.NEGATIVE_INFINITY;

  constructor({ procRoot, netnsPath, libc }: NamespaceHoldersOptions) {
    this.#procRoot = procRoot;
    this.#processes = new ProcessList({ procRoot, libc });
    this.#directory = new NamespaceDirectory(netnsPath);
  }

  get holdings(): ReadonlyMap<number, Holding> {
    return this.#holdings;
  }

  /** Processes whose namespace is not the host's and cannot be seen, for want of CAP_SYS_PTRACE. */
  get hidden(): number {
    return this.#hidden;
  }

  /** The last scan found no process that had come, gone or moved, and none so young that it may move yet. */
  get isCalm(): boolean {
    return this.#isCalm;
  }

  get pids(): Iterable<number> {
    return this.#sights.keys();
  }

  /** Looks again; `thorough` lists every process and reads every mount, even if that was done a moment ago. */
  scan(nowMs: number, { thorough }: { readonly thorough: boolean }): void {
    this.#scans++;
    const isKnown = (pid: number) => this.#sights.has(pid);
    const look = this.#processes.look(nowMs, { isWhole: thorough, isKnown });
    this.#isCalm = true;
    const arrivals = this.#readProcesses(look, nowMs);
    const mounts = this.#readMounts(nowMs, thorough);
    // Who left goes first, so that a number given twice between two scans makes a new holding.
    if (look.isWhole) this.#dropUnseen();
    for (const [inum, holding] of this.#holdings) {
      if (holding.mountName !== mounts.get(inum)) holding.mountName = undefined;
      if (holding.pids.size === 0 && holding.mountName === undefined) this.#holdings.delete(inum);
    }
    for (const [inum, name] of mounts) this.#holding(inum).mountName = name;
    for (const [pid, inum] of arrivals) this.#join(pid, inum);
  }

  [Symbol.dispose](): void {
    this.#processes[Symbol.dispose]();
  }

  /** Gives the processes that are in a namespace where they were not at the last scan. */
  #readProcesses(
    { pids, isWhole }: ProcessLook,
    nowMs: number,
  ): readonly (readonly [pid: number, inum: number])[] {
    for (const pid of pids) {
      const known = this.#sights.get(pid);
      if (known === undefined) {
        this.#sights.set(pid, { inum: undefined, hidden: false, firstSeenMs: nowMs, scan: this.#scans });
      } else known.scan = this.#scans;
    }
    const arrivals: (readonly [number, number])[] = [];
    for (const [pid, sight] of this.#sights) {
      if (isWhole && sight.scan !== this.#scans) continue;
      const settled = nowMs - sight.firstSeenMs >= SETTLED_MS;
      if (!settled) this.#isCalm = false;
      if (settled && pid % TURNS !== this.#scans % TURNS) continue;
      const inum = readNamespaceInum(pid, { procRoot: this.#procRoot });
      this.#setHidden(sight, inum === undefined && this.#isElsewhere(pid));
      if (inum === sight.inum) continue;
      this.#isCalm = false;
      this.#leave(pid, sight.inum);
      sight.inum = inum;
      if (inum !== undefined) arrivals.push([pid, inum]);
    }
    return arrivals;
  }

  #dropUnseen(): void {
    for (const [pid, sight] of this.#sights) {
      if (sight.scan === this.#scans) continue;
      this.#isCalm = false;
      this.#leave(pid, sight.inum);
      this.#setHidden(sight, false);
      this.#sights.delete(pid);
    }
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
    return new Map([...this.#mountinfo, ...this.#directory.read(nowMs, { thorough })]);
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
