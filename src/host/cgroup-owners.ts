import type { CgroupHandles } from "./cgroup-handles.ts";
import { type CgroupPathOwner, parseCgroupPath } from "./cgroup-path.ts";
import { ExpiringMap } from "./expiring-map.ts";
import { type CgroupDirectory, walkCgroups } from "./walk-cgroups.ts";

export interface CgroupOwnersOptions {
  /** Where cgroup v2 is mounted. */
  readonly root: string;
  /** Finds a single cgroup at once; without it (Node 24, no privilege) a miss is a walk over all of them. */
  readonly handles: CgroupHandles | undefined;
  /** A clock that never goes back, in milliseconds. */
  readonly now: () => number;
}

/** What the look-ups cost and what they lost. */
export interface CgroupCounters {
  /** Ids looked for because they were not known. */
  readonly misses: number;
  /** Of those, not found: outside what the mount shows, or gone before anyone looked. */
  readonly notFound: number;
  /** Walks over the tree, also those that no miss asked for. */
  readonly walks: number;
  /** Walks that stopped at their bound. */
  readonly truncatedWalks: number;
  readonly living: number;
  /** Gone and still remembered. */
  readonly remembered: number;
  /** Remembered no longer, for age or for want of room. */
  readonly forgotten: number;
}

/** Directories of one walk, living cgroups known, and gone ones remembered. */
const MAX_CGROUPS = 20_000;
/** Orphan sockets (FIN_WAIT) outlive their cgroup's directory. */
const REMEMBER_MS = 600_000;
/** So that a container of a few seconds is met while it lives. */
const WALK_INTERVAL_MS = 5_000;
/** Where no process has come, none of which could be in a new cgroup. */
const CALM_WALK_INTERVAL_MS = 30_000;
/** Of one refresh; a node with 250 pods needs about 15 ms for a walk. */
const WALK_BUDGET_MS = 10;
/** Walks that misses ask for may take this part of the time at most. */
const MAX_MISS_SHARE = 0.05;
const MIN_MISS_INTERVAL_MS = 50;
/** An id that is not to be found now never will be: ids are not given twice, and the socket's cgroup was there before it. */
const ABSENT = { ttlMs: 10_000, maxSize: 1_000 };

interface Living {
  /** Undefined for the root. */
  readonly owner: CgroupPathOwner | undefined;
  /** Number of the walk that met it last. */
  walk: number;
}

/** Who is in a cgroup, by its id; gone ones are remembered for a while. */
export class CgroupOwners {
  readonly #root: string;
  readonly #handles: CgroupHandles | undefined;
  readonly #now: () => number;
  readonly #living = new Map<bigint, Living>();
  readonly #gone = new ExpiringMap<bigint, Living>({ ttlMs: REMEMBER_MS, maxSize: MAX_CGROUPS });
  readonly #absent = new ExpiringMap<bigint, true>(ABSENT);
  #walk: Generator<CgroupDirectory, void> | undefined;
  #visited = 0;
  #nextWalkMs = Number.NEGATIVE_INFINITY;
  #nextCalmWalkMs = Number.NEGATIVE_INFINITY;
  /** Whether anything has come since the last walk began. */
  #isCalm = true;
  #nextMissWalkMs = Number.NEGATIVE_INFINITY;
  #crowdedOut = 0;
  readonly #counts = { misses: 0, notFound: 0, walks: 0, truncatedWalks: 0 };

  constructor({ root, handles, now }: CgroupOwnersOptions) {
    this.#root = root;
    this.#handles = handles;
    this.#now = now;
  }

  /** Undefined for the root cgroup, and for one that is not in sight. Known ones cost about 0.1 µs. */
  owner(id: bigint): CgroupPathOwner | undefined {
    const living = this.#living.get(id);
    if (living !== undefined) return living.owner;
    const now = this.#now();
    const gone = this.#gone.get(id, now);
    if (gone !== undefined) return gone.owner;
    return this.#absent.get(id, now) ? undefined : this.#lookFor(id, now);
  }

  /**
   * Takes a bounded part of a walk over the tree, when one is due. For about once a second; `isCalm` says that no process
   * has come, gone or moved since the last time.
   */
  refresh({ isCalm = false }: { readonly isCalm?: boolean } = {}): void {
    const now = this.#now();
    this.#gone.expire(now);
    this.#absent.expire(now);
    this.#isCalm &&= isCalm;
    const dueMs = this.#isCalm ? this.#nextCalmWalkMs : this.#nextWalkMs;
    if (this.#walk === undefined && now >= dueMs) this.#startWalk(now);
    if (this.#walk !== undefined) this.#goOn(this.#walk, now + WALK_BUDGET_MS);
  }

  counters(): CgroupCounters {
    return {
      ...this.#counts,
      living: this.#living.size,
      remembered: this.#gone.size,
      forgotten: this.#gone.forgotten + this.#crowdedOut,
    };
  }

  #lookFor(id: bigint, now: number): CgroupPathOwner | undefined {
    if (this.#handles !== undefined) {
      this.#counts.misses++;
      const path = this.#handles.pathOf(id);
      if (path !== undefined) return this.#meet({ id, path }).owner;
    } else {
      if (now < this.#nextMissWalkMs) return undefined; // asked again later, it may get its walk
      this.#counts.misses++;
      this.#goOn(this.#startWalk(now), Number.POSITIVE_INFINITY);
      const end = this.#now();
      this.#nextMissWalkMs = end + Math.max(MIN_MISS_INTERVAL_MS, (end - now) / MAX_MISS_SHARE);
      const living = this.#living.get(id);
      if (living !== undefined) return living.owner;
    }
    this.#counts.notFound++;
    this.#absent.set(id, true, now);
    return undefined;
  }

  #startWalk(now: number): Generator<CgroupDirectory, void> {
    this.#counts.walks++;
    this.#visited = 0;
    this.#nextWalkMs = now + WALK_INTERVAL_MS;
    this.#nextCalmWalkMs = now + CALM_WALK_INTERVAL_MS;
    this.#isCalm = true;
    this.#walk = walkCgroups(this.#root);
    return this.#walk;
  }

  #goOn(walk: Generator<CgroupDirectory, void>, untilMs: number): void {
    for (;;) {
      const step = walk.next();
      if (step.done) {
        this.#walk = undefined;
        this.#retireUnmet();
        return;
      }
      this.#meet(step.value);
      if (++this.#visited >= MAX_CGROUPS) {
        this.#walk = undefined; // it says nothing about those that it did not reach
        this.#counts.truncatedWalks++;
        return;
      }
      if (this.#now() >= untilMs) return;
    }
  }

  #meet({ id, path }: CgroupDirectory): Living {
    const known = this.#living.get(id);
    if (known !== undefined) {
      known.walk = this.#counts.walks;
      return known;
    }
    const met = { owner: parseCgroupPath(path), walk: this.#counts.walks };
    this.#gone.delete(id);
    this.#living.set(id, met);
    if (this.#living.size > MAX_CGROUPS) this.#crowdOut();
    return met;
  }

  /** What a whole walk did not meet is gone. */
  #retireUnmet(): void {
    const now = this.#now();
    for (const [id, living] of this.#living) {
      if (living.walk === this.#counts.walks) continue;
      this.#living.delete(id);
      this.#gone.set(id, living, now);
    }
  }

  #crowdOut(): void {
    for (const id of this.#living.keys()) {
      this.#living.delete(id);
      this.#crowdedOut++;
      return;
    }
  }
}
