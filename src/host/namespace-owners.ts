import { ExpiringMap } from "./expiring-map.ts";
import { findHostNamespaceInum } from "./host-namespace.ts";
import { NamespaceHolders, type NamespaceHoldersOptions } from "./namespace-holders.ts";
import { readNamespaceInum } from "./network-namespaces.ts";
import type { PodNamespace } from "./pod-addresses.ts";
import { type TellOptions, type Told, type ToldOwner, tellNamespace } from "./tell-namespace.ts";

/** Whose a network namespace is. */
export type NamespaceHolder =
  | ToldOwner
  /** The one of process 1, which hostNetwork pods share. */
  | { readonly kind: "host" }
  /** It was not looked for since: a later call knows more, within OVERDUE_MS. */
  | { readonly kind: "stale" };

export interface NamespaceOwnersOptions extends NamespaceHoldersOptions, Pick<TellOptions, "cgroupBase"> {
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
}

/** What the look-ups cost and what they lost. */
export interface NamespaceCounters {
  /** Looks for what nothing known held: inode numbers, and addresses. */
  readonly misses: number;
  readonly notFound: number;
  /** Scans of /proc, also those that no miss asked for. */
  readonly scans: number;
  readonly held: number;
  /** Processes in namespaces that cannot be seen for want of CAP_SYS_PTRACE: then none is called another node's. */
  readonly hidden: number;
  /** Held by nothing any more and still remembered. */
  readonly remembered: number;
  readonly forgotten: number;
}

/**
 * Orphan sockets keep a namespace, unseen, until they give up: about 100 s (tcp_orphan_retries). After that the
 * kernel gives its number to the next namespace, so a long memory would be a lie.
 */
const REMEMBER = { ttlMs: 120_000, maxSize: 5_000 };
/** Numbers that are not in sight: every scan looks for them too, so only the first look-up asks for one. */
const ABSENT = { ttlMs: 60_000, maxSize: 5_000 };
/** A little longer than from one refresh to the next: so long a scan that did not find a number counts. */
const OVERDUE_MS = 1_500;
/** Scans that misses ask for may take this part of the time at most, where refreshes come in time. */
const MAX_MISS_SHARE = 0.05;
const MIN_MISS_INTERVAL_MS = 20;
/** How long a number may be taken for the one that it was: the kernel gives a free one to the next namespace at once. */
const VERIFY_MS = 100;

const HOST = { kind: "host" } as const;
const UNTOLD = { kind: "process", name: undefined } as const;
const STALE = { kind: "stale" } as const;

/** Who owns a network namespace, by its inode number. */
export class NamespaceOwners implements Disposable {
  readonly #procRoot: string;
  readonly #cgroupBase: string;
  readonly #now: () => number;
  readonly #holders: NamespaceHolders;
  readonly #told = new Map<number, Told>();
  readonly #gone = new ExpiringMap<number, NamespaceHolder>(REMEMBER);
  readonly #absent = new ExpiringMap<number, true>(ABSENT);
  /** Since when numbers are asked for that could have no scan of their own. */
  readonly #asked = new ExpiringMap<number, number>(ABSENT);
  #host: number | undefined;
  #lastScanMs = Number.NEGATIVE_INFINITY;
  #nextMissScanMs = Number.NEGATIVE_INFINITY;
  readonly #counts = { misses: 0, notFound: 0, scans: 0 };

  constructor(options: NamespaceOwnersOptions) {
    this.#procRoot = options.procRoot;
    this.#cgroupBase = options.cgroupBase;
    this.#now = options.now;
    this.#holders = new NamespaceHolders(options);
  }

  /** Inode number of the host's own; undefined while it cannot be told, and then nothing is given to a pod. */
  get host(): number | undefined {
    return this.#host;
  }

  /**
   * Undefined when neither a mount nor a process in sight holds it, now or a while ago; a process without a name
   * where some cannot be seen, stale where none was looked for since. Known ones cost about 0.1 µs, and 5 µs once in
   * 100 ms.
   */
  owner(inum: number): NamespaceHolder | undefined {
    if (inum === this.#host) return HOST;
    const now = this.#now();
    const told = this.#told.get(inum);
    if (told === undefined) return this.#lookFor(inum, now);
    if (now - told.verifiedMs < VERIFY_MS || this.#verify(told, now)) return told.owner;
    return this.#lookFor(inum, now);
  }

  /** The namespaces that the last scan found pods in. */
  *pods(): Generator<PodNamespace> {
    for (const { owner, holding } of this.#told.values()) {
      if (owner.kind === "pod") yield { holding, podUid: owner.podUid };
    }
  }

  /** Scans /proc for what came a moment ago; false where that would take too much of the time. */
  lookAgain(): boolean {
    const now = this.#now();
    if (now < this.#nextMissScanMs) return false;
    this.#scanForMiss(now);
    return true;
  }

  /** Nothing has come, gone or moved, and nothing is so young that it may move yet. */
  get isCalm(): boolean {
    return this.#holders.isCalm;
  }

  /** Scans /proc for what is new. For about once a second: 2 ms at 1,000 processes where some have come or gone. */
  refresh(): void {
    const now = this.#now();
    this.#gone.expire(now);
    this.#absent.expire(now);
    this.#asked.expire(now);
    this.#scan(now, { thorough: false });
  }

  counters(): NamespaceCounters {
    return {
      ...this.#counts,
      held: this.#told.size,
      hidden: this.#holders.hidden,
      remembered: this.#gone.size,
      forgotten: this.#gone.forgotten,
    };
  }

  [Symbol.dispose](): void {
    this.#holders[Symbol.dispose]();
  }

  /** Whether what told the owner still holds the namespace: its number may be another's by now. */
  #verify(told: Told, now: number): boolean {
    const { pid, holding } = told;
    if (pid === undefined) return true;
    if (readNamespaceInum(pid, { procRoot: this.#procRoot }) !== holding.inum) return false;
    told.verifiedMs = now;
    return true;
  }

  #lookFor(inum: number, now: number): NamespaceHolder | undefined {
    if (now - this.#lastScanMs >= this.#scanCountsFor(inum, now)) {
      const isOverdue = now - this.#lastScanMs >= OVERDUE_MS;
      if (isOverdue || now >= this.#nextMissScanMs) this.#scanForMiss(now);
      else if (!this.#wasScannedFor(inum, now)) return STALE;
      if (inum === this.#host) return HOST;
      const told = this.#told.get(inum);
      if (told !== undefined) return told.owner;
      this.#counts.notFound++;
      this.#absent.set(inum, true, now);
    }
    return this.#gone.get(inum, now) ?? (this.#seesAll ? undefined : UNTOLD);
  }

  /** Whether a scan has come since a number was asked for that may have none of its own now. */
  #wasScannedFor(inum: number, now: number): boolean {
    if (this.#told.has(inum)) return false; // it was found, and what told it has gone since
    const askedMs = this.#asked.get(inum, now);
    if (askedMs === undefined) this.#asked.set(inum, now, now);
    if (askedMs === undefined || this.#lastScanMs <= askedMs) return false;
    this.#asked.delete(inum);
    return true;
  }

  #scanForMiss(now: number): void {
    this.#counts.misses++;
    this.#scan(now, { thorough: true });
    const end = this.#now();
    this.#nextMissScanMs = end + Math.max(MIN_MISS_INTERVAL_MS, (end - now) / MAX_MISS_SHARE);
  }

  /** How long the last scan's word on a number that it did not find is taken, in ms. */
  #scanCountsFor(inum: number, now: number): number {
    if (this.#told.has(inum)) return 0; // it did find it, but the holder has gone since
    if (this.#gone.get(inum, now) !== undefined) return VERIFY_MS;
    return this.#absent.get(inum, now) ? OVERDUE_MS : MIN_MISS_INTERVAL_MS;
  }

  /** Without the host's number, or with namespaces that it may not see, it cannot say that one is not this node's. */
  get #seesAll(): boolean {
    return this.#host !== undefined && this.#holders.hidden === 0;
  }

  #scan(now: number, { thorough }: { readonly thorough: boolean }): void {
    this.#counts.scans++;
    this.#lastScanMs = now;
    this.#holders.scan(now, { thorough });
    this.#host ??= findHostNamespaceInum(this.#holders.pids, { procRoot: this.#procRoot });
    if (this.#host === undefined) return;
    const { holdings } = this.#holders;
    for (const [inum, told] of this.#told) {
      if (holdings.get(inum) === told.holding) continue;
      this.#told.delete(inum);
      this.#gone.set(inum, told.owner, now);
    }
    for (const [inum, holding] of holdings) {
      if (inum === this.#host) continue;
      this.#gone.delete(inum);
      this.#absent.delete(inum);
      const before = this.#told.get(inum);
      this.#told.set(
        inum,
        tellNamespace(holding, now, { before, procRoot: this.#procRoot, cgroupBase: this.#cgroupBase }),
      );
    }
  }
}
