import { hullOf, positionOf, type ReadInterval } from "./bracket.ts";
import { counterWindow, sumOfWindows } from "./counter-window.ts";
import {
  type CounterName,
  type CounterValues,
  type CounterWindow,
  IDENTITIES,
  type Identity,
} from "./identities.ts";
import type { NamespaceRead } from "./observed-window.ts";
import type { Sight } from "./sight.ts";
import { type Observation, Tally } from "./tally.ts";

/** One quantity as events tell it and as the kernel counted it, up to the same readings. */
export interface Covered {
  seen: number;
  kernel: number;
}

/** What was seen of the kernel's truth since the beginning: each number only grows. */
export interface CoverageTotals {
  readonly segments: Covered;
  readonly lossProbes: Covered;
  /** Network namespaces that were gone, or replaced, at a reading: what they did since the one before is in neither number. */
  namespacesLeftOut: number;
  /** Segments that were seen, and left out for it, or since their namespace could not be read before. */
  segmentsLeftOut: number;
}

/** All events of a rung that tells no namespaces; else those whose namespace could not be told. */
const WHOLE_HOST = undefined;
type Key = number | typeof WHOLE_HOST;

interface Group {
  /** What was seen since its last reading. */
  tally: Tally;
  /** The counters at its last reading, by namespace; of one that could not be read, undefined. One that is not here is new. */
  before: ReadonlyMap<number, CounterValues | undefined>;
}

/**
 * Compares all that is seen with the kernel's counters, reading after reading: an event belongs to the reading that
 * closes behind it, so that what runs during one is at most late, never lost. A reading is `hold`, then reads of every
 * namespace, then `baseline` or `reading` when all events up to the reads have been observed.
 */
export class Coverage {
  readonly totals: CoverageTotals = {
    segments: { seen: 0, kernel: 0 },
    lossProbes: { seen: 0, kernel: 0 },
    namespacesLeftOut: 0,
    segmentsLeftOut: 0,
  };
  readonly #sight: Sight;
  readonly #groups = new Map<Key, Group>();
  /** Namespaces whose first reading was a quiet one. */
  readonly #based = new Set<Key>();
  /** What comes while the counters are read. Bounded by how long that takes. */
  #held: Observation[] | undefined;

  constructor(sight: Sight) {
    this.#sight = sight;
  }

  observe(observation: Observation): void {
    if (this.#held === undefined) this.#group(this.#keyOf(observation)).tally.add(observation);
    else this.#held.push(observation);
  }

  /** From now on what is observed may be later than the reads. */
  hold(): void {
    this.#held ??= [];
  }

  /** Begins with these reads; true when nothing ran during any of them. Else it can be tried again, for those it did in. */
  baseline(reads: readonly NamespaceRead[]): boolean {
    const held = this.#takeHeld();
    let quiet = true;
    const closing = new Map<Key, ReadInterval>();
    for (const [key, group] of this.#grouped(reads)) {
      const interval = hullOf(group);
      if (interval === undefined || this.#based.has(key)) continue;
      closing.set(key, interval);
      const inside = held.some(
        (one) => this.#keyOf(one) === key && positionOf(one.time, interval) === "inside",
      );
      if (inside) quiet = false;
      else this.#based.add(key);
      this.#restart(this.#group(key), group);
    }
    this.#place(held, closing, { countsBefore: false });
    return quiet;
  }

  /** Adds what was seen and counted since the reading before. */
  reading(reads: readonly NamespaceRead[]): void {
    const grouped = this.#grouped(reads);
    const held = this.#takeHeld();
    const closing = new Map<Key, ReadInterval>();
    for (const [key, group] of grouped) {
      const interval = hullOf(group);
      if (interval !== undefined) closing.set(key, interval);
    }
    const later = this.#place(held, closing, { countsBefore: true });
    for (const [key, group] of [...this.#groups]) this.#settle(key, group, grouped.get(key));
    for (const [key, group] of grouped)
      if (!this.#groups.has(key)) this.#settle(key, this.#group(key), group);
    for (const observation of later) this.#group(this.#keyOf(observation)).tally.add(observation);
  }

  #settle(key: Key, group: Group, reads: readonly NamespaceRead[] | undefined): void {
    if (key === WHOLE_HOST && this.#sight.namespaces) {
      this.#addSeen(group.tally); // some namespace has counted them
      group.tally = new Tally();
    } else if (reads === undefined) {
      this.#leaveOut(group.tally, 1);
      this.#groups.delete(key);
      this.#based.delete(key);
    } else if (this.#sight.namespaces && group.before.has(key ?? 0) && reads.every(isMissing)) {
      // A later reading covers this one's time too.
    } else {
      this.#compare(group, reads);
      this.#restart(group, reads);
    }
  }

  #compare({ tally, before }: Group, reads: readonly NamespaceRead[]): void {
    const windows: CounterWindow[] = [];
    const now = new Set(reads.map(({ netns }) => netns));
    let gone = [...before].filter(([netns, counters]) => counters !== undefined && !now.has(netns)).length;
    for (const { netns, counters } of reads) {
      const opens = before.get(netns);
      if (opens === undefined && (before.has(netns) || "missing" in counters)) continue; // it begins here, or later
      const window = "missing" in counters ? counters : counterWindow(opens, counters);
      if ("missing" in window) gone++;
      else windows.push(window);
    }
    // On a rung that tells no namespaces nothing says which events were theirs: the whole time between is left out.
    if (gone > 0) this.#leaveOut(tally, gone);
    else if (windows.length > 0) this.#add(tally, sumOfWindows(windows));
    else this.#leaveOut(tally, 0); // nothing tells what the kernel had counted before
  }

  #add(tally: Tally, kernel: CounterWindow): void {
    this.#addSeen(tally);
    const facts = { tally, kernel, sight: this.#sight };
    for (const [covered, identity] of this.#covered()) {
      const terms = identity.terms(facts).reduce((sum, { min }) => sum + min, 0);
      covered.kernel += Math.max(0, (kernel.moved[identity.counter] ?? 0) - terms);
    }
  }

  #addSeen(tally: Tally): void {
    for (const [covered, identity] of this.#covered()) covered.seen += identity.seen(tally);
  }

  #covered(): readonly (readonly [Covered, Identity])[] {
    return [
      [this.totals.segments, SEGMENTS],
      [this.totals.lossProbes, LOSS_PROBES],
    ];
  }

  #leaveOut(tally: Tally, namespaces: number): void {
    this.totals.namespacesLeftOut += namespaces;
    this.totals.segmentsLeftOut += SEGMENTS.seen(tally);
  }

  #restart(group: Group, reads: readonly NamespaceRead[]): void {
    group.tally = new Tally();
    group.before = new Map(
      reads.map(({ netns, counters }) => [netns, "missing" in counters ? undefined : counters]),
    );
  }

  /** Adds what was held to the groups that it lies before the reads of; gives the rest, or adds it where reads begin. */
  #place(
    held: readonly Observation[],
    closing: ReadonlyMap<Key, ReadInterval>,
    { countsBefore }: { readonly countsBefore: boolean },
  ): readonly Observation[] {
    const later: Observation[] = [];
    for (const observation of held) {
      const key = this.#keyOf(observation);
      const interval = closing.get(key);
      const isBefore = interval !== undefined && observation.time <= interval.until;
      if (!countsBefore) {
        if (!isBefore) this.#group(key).tally.add(observation);
      } else if (isBefore || (key === WHOLE_HOST && this.#sight.namespaces)) {
        this.#group(key).tally.add(observation);
      } else later.push(observation);
    }
    return later;
  }

  #takeHeld(): readonly Observation[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    return held;
  }

  #grouped(reads: readonly NamespaceRead[]): ReadonlyMap<Key, readonly NamespaceRead[]> {
    if (!this.#sight.namespaces) return new Map([[WHOLE_HOST, reads]]);
    return new Map<Key, readonly NamespaceRead[]>(reads.map((read) => [read.netns, [read]]));
  }

  #keyOf(observation: Observation): Key {
    if (!this.#sight.namespaces) return WHOLE_HOST;
    return observation.kind === "syn_ack_timer" ? observation.netns : observation.socket.netns;
  }

  #group(key: Key): Group {
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const fresh: Group = { tally: new Tally(), before: new Map() };
    this.#groups.set(key, fresh);
    return fresh;
  }
}

function isMissing({ counters }: NamespaceRead): boolean {
  return "missing" in counters;
}

const SEGMENTS = identityOf("RetransSegs");
const LOSS_PROBES = identityOf("TCPLossProbes");

function identityOf(counter: CounterName): Identity {
  const identity = IDENTITIES.find((one) => one.counter === counter);
  if (identity === undefined) throw new TypeError(`Cannot compare: no identity for ${counter}`);
  return identity;
}
