import { hullOf, positionOf, type ReadInterval } from "./bracket.ts";
import { counterWindow, sumOfWindows } from "./counter-window.ts";
import { addSeen, addWindow, type CoverageTotals, leaveOut, newCoverageTotals } from "./coverage-totals.ts";
import type { CounterValues, CounterWindow } from "./identities.ts";
import type { NamespaceRead } from "./observed-window.ts";
import type { Sight } from "./sight.ts";
import { type Observation, Tally } from "./tally.ts";

/** All events of a rung that tells no namespaces; else those whose namespace could not be told. */
const WHOLE_HOST = undefined;
type Key = number | typeof WHOLE_HOST;

interface Group {
  /** What was seen since its last reading. */
  tally: Tally;
  /** The counters at its last reading, by namespace; of one that could not be read, undefined. One that is not here is new. */
  before: ReadonlyMap<number, CounterValues | undefined>;
}

/** The reads of a group, undefined where it has none, and what was observed during them, in the order of time. */
interface Closing {
  readonly reads: readonly NamespaceRead[] | undefined;
  readonly inside: readonly Observation[];
}

/**
 * Compares all that is seen with the kernel's counters, reading after reading: an event belongs to the reading that
 * closes behind it. One that ran during the read itself belongs to it as far as the counters have it, and else to the next:
 * a namespace may be gone by then, and with it what the kernel has counted. A reading is `hold`, then reads of every
 * namespace, then `baseline` or `reading` when all events up to the reads have been observed.
 */
export class Coverage {
  readonly totals: CoverageTotals = newCoverageTotals();
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
    for (const observation of held) {
      const key = this.#keyOf(observation);
      const interval = closing.get(key);
      if (interval === undefined || observation.time > interval.until)
        this.#group(key).tally.add(observation);
    }
    return quiet;
  }

  /** Adds what was seen and counted since the reading before. */
  reading(reads: readonly NamespaceRead[]): void {
    const grouped = this.#grouped(reads);
    const held = this.#takeHeld();
    const { inside, later } = this.#divide(held, grouped);
    const settle = (key: Key, group: Group) => {
      later.push(...this.#settle(key, group, { reads: grouped.get(key), inside: inside.get(key) ?? [] }));
    };
    for (const [key, group] of [...this.#groups]) settle(key, group);
    for (const key of grouped.keys()) if (!this.#groups.has(key)) settle(key, this.#group(key));
    for (const observation of later) this.#group(this.#keyOf(observation)).tally.add(observation);
  }

  /** Gives what belongs to the next reading. */
  #settle(key: Key, group: Group, { reads, inside }: Closing): readonly Observation[] {
    if (key === WHOLE_HOST && this.#sight.namespaces) {
      addSeen(this.totals, group.tally); // some namespace has counted them
      group.tally = new Tally();
    } else if (reads === undefined) {
      leaveOut(this.totals, { tally: group.tally, namespaces: 1 });
      this.#groups.delete(key);
      this.#based.delete(key);
    } else if (this.#sight.namespaces && group.before.has(key ?? 0) && reads.every(isMissing)) {
      for (const observation of inside) group.tally.add(observation); // a later reading covers this one's time too
    } else {
      const left = this.#compare(group, { reads, inside });
      this.#restart(group, reads);
      return left;
    }
    return [];
  }

  #compare(
    { tally, before }: Group,
    { reads, inside }: Closing & { readonly reads: readonly NamespaceRead[] },
  ): readonly Observation[] {
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
    if (gone === 0 && windows.length > 0) {
      return addWindow(this.totals, { tally, kernel: sumOfWindows(windows), sight: this.#sight, inside });
    }
    for (const observation of inside) tally.add(observation);
    leaveOut(this.totals, { tally, namespaces: gone }); // or nothing tells what the kernel had counted before
    return [];
  }

  #restart(group: Group, reads: readonly NamespaceRead[]): void {
    group.tally = new Tally();
    group.before = new Map(
      reads.map(({ netns, counters }) => [netns, "missing" in counters ? undefined : counters]),
    );
  }

  /** Adds what was held to the groups whose reads had not begun; what is neither that nor later than them is inside. */
  #divide(
    held: readonly Observation[],
    grouped: ReadonlyMap<Key, readonly NamespaceRead[]>,
  ): { readonly inside: ReadonlyMap<Key, readonly Observation[]>; readonly later: Observation[] } {
    const intervals = new Map([...grouped].map(([key, reads]) => [key, hullOf(reads)]));
    const inside = new Map<Key, Observation[]>([...grouped.keys()].map((key) => [key, []]));
    const later: Observation[] = [];
    for (const observation of held) {
      const key = this.#keyOf(observation);
      const interval = intervals.get(key);
      const isWhole = key === WHOLE_HOST && this.#sight.namespaces;
      const position = interval && positionOf(observation.time, interval);
      if (isWhole || position === "before") this.#group(key).tally.add(observation);
      else if (position === "inside") inside.get(key)?.push(observation);
      else later.push(observation);
    }
    return { inside, later };
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
