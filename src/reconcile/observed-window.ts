import { type Bracket, hullOf, placeOf, positionOf, type ReadInterval } from "./bracket.ts";
import { counterWindow, type NoWindow, sumOfWindows } from "./counter-window.ts";
import type { CounterValues, CounterWindow } from "./identities.ts";
import type { NamespaceWindow } from "./reconcile.ts";
import { type Observation, Tally } from "./tally.ts";

/** One read of one namespace's counters; `counters` is the reason where they could not be read. */
export interface NamespaceRead extends ReadInterval {
  readonly netns: number;
  readonly counters: CounterValues | { readonly missing: string };
}

/** The end of a window for one group of namespaces. */
interface Boundary {
  readonly interval: ReadInterval;
  readonly reads: readonly NamespaceRead[];
  readonly clean: boolean;
}

/** What the window held, ready to be reconciled. */
export interface ObservedNamespaces {
  readonly windows: readonly NamespaceWindow[];
  /** Events whose namespace could not be told though this rung tells it. */
  readonly unattributed: Tally;
}

/** Key of what belongs to no single namespace: all events of a rung that tells none, else those untold. */
const WHOLE_HOST = undefined;
type Key = number | typeof WHOLE_HOST;

/**
 * Sorts observations into the window between two reads of the counters. While an end is being read, what
 * comes is kept back, and a read during which nothing happened is taken; reads are offered until it is so.
 */
export class ObservedWindow {
  readonly #perNamespace: boolean;
  readonly #slackNanos: number | undefined;
  readonly #opens = new Map<Key, Boundary>();
  readonly #closes = new Map<Key, Boundary>();
  readonly #certain = new Map<Key, Tally>();
  readonly #maybe = new Map<Key, Tally>();
  readonly #glimpsed = new Set<number>();
  /** Kept back while an end is read. Bounded by the number of tries at one. */
  #held: Observation[] = [];
  #phase: "opening" | "open" | "closing" = "opening";

  constructor({
    perNamespace,
    slackNanos,
  }: { readonly perNamespace: boolean; readonly slackNanos?: number }) {
    this.#perNamespace = perNamespace;
    this.#slackNanos = slackNanos;
  }

  observe(observation: Observation): void {
    if (this.#phase === "open") this.#place(observation, this.#opens, new Map());
    else this.#held.push(observation);
  }

  /** Offers a round of reads for the end at hand; true when nothing ran during any of them, by now. */
  offer(reads: readonly NamespaceRead[]): boolean {
    const boundaries = this.#phase === "opening" ? this.#opens : this.#closes;
    for (const [key, group] of this.#grouped(reads)) {
      const interval = hullOf(group);
      if (interval === undefined || boundaries.get(key)?.clean) continue;
      boundaries.set(key, { interval, reads: group, clean: this.#countInside(key, interval) === 0 });
    }
    return [...boundaries].every(([key, { clean }]) => clean || (this.#perNamespace && key === WHOLE_HOST));
  }

  /** Begins the window with the reads offered so far. */
  open(): void {
    this.#phase = "open";
    this.#release(new Map());
  }

  /** From now on the reads offered are those of the window's end. */
  beginClosing(): void {
    this.#phase = "closing";
  }

  /** Notes namespaces that exist inside the window: one that comes and goes between both ends is in no read. */
  glimpse(namespaces: Iterable<number>): void {
    for (const netns of namespaces) this.#glimpsed.add(netns);
  }

  /** Ends the window with the reads offered since. */
  close(): ObservedNamespaces {
    this.#release(this.#closes);
    const keys = new Set([...this.#opens.keys(), ...this.#closes.keys(), ...this.#certain.keys()]);
    if (!this.#perNamespace) return { windows: [this.#wholeHost()], unattributed: new Tally() };
    const unattributed = new Tally();
    unattributed.addAll(this.#tally(this.#certain, WHOLE_HOST));
    unattributed.addAll(this.#tally(this.#maybe, WHOLE_HOST));
    keys.delete(WHOLE_HOST);
    return { windows: [...keys].map((key) => this.#namespace(key)), unattributed };
  }

  #release(closes: ReadonlyMap<Key, Boundary>): void {
    const held = this.#held;
    this.#held = [];
    for (const observation of held) this.#place(observation, this.#opens, closes);
  }

  #place(
    observation: Observation,
    opens: ReadonlyMap<Key, Boundary>,
    closes: ReadonlyMap<Key, Boundary>,
  ): void {
    const key = this.#keyOf(observation);
    const bracket: Bracket = { opens: opens.get(key)?.interval, closes: closes.get(key)?.interval };
    const place = placeOf(observation.time, bracket, this.#slackNanos);
    if (place === "outside") return;
    const tallies = place === "certain" ? this.#certain : this.#maybe;
    const tally = this.#tally(tallies, key);
    tally.add(observation);
    tallies.set(key, tally);
  }

  #countInside(key: Key, interval: ReadInterval): number {
    const isInside = (observation: Observation): boolean =>
      this.#keyOf(observation) === key &&
      positionOf(observation.time, interval, this.#slackNanos) === "inside";
    return this.#held.filter(isInside).length;
  }

  #grouped(reads: readonly NamespaceRead[]): ReadonlyMap<Key, readonly NamespaceRead[]> {
    const groups = new Map<Key, readonly NamespaceRead[]>([[WHOLE_HOST, reads]]);
    if (this.#perNamespace) for (const read of reads) groups.set(read.netns, [read]);
    return groups;
  }

  #keyOf(observation: Observation): Key {
    if (!this.#perNamespace) return WHOLE_HOST;
    return observation.kind === "syn_ack_timer" ? observation.netns : observation.socket.netns;
  }

  #tally(tallies: ReadonlyMap<Key, Tally>, key: Key): Tally {
    return tallies.get(key) ?? new Tally();
  }

  #namespace(netns: Key): NamespaceWindow {
    const opens = this.#opens.get(netns)?.reads[0];
    const closes = this.#closes.get(netns)?.reads[0];
    const kernel = closes === undefined ? { missing: "namespace gone" } : windowBetween(opens, closes);
    const tallies = { certain: this.#tally(this.#certain, netns), maybe: this.#tally(this.#maybe, netns) };
    return { netns, ...tallies, kernel, gone: 0 };
  }

  #wholeHost(): NamespaceWindow {
    const before = new Map(this.#opens.get(WHOLE_HOST)?.reads.map((read) => [read.netns, read]));
    const windows: CounterWindow[] = [];
    let gone = before.size;
    for (const closes of this.#closes.get(WHOLE_HOST)?.reads ?? []) {
      const opens = before.get(closes.netns);
      const window = windowBetween(opens, closes);
      if ("missing" in window) {
        // Without an opening read it is one more namespace whose counters the sum lacks.
        if (opens === undefined) gone += 1;
        continue;
      }
      if (opens !== undefined) gone -= 1;
      windows.push(window);
    }
    const after = new Set(this.#closes.get(WHOLE_HOST)?.reads.map(({ netns }) => netns));
    for (const netns of this.#glimpsed) if (!before.has(netns) && !after.has(netns)) gone += 1;
    const kernel = windows.length === 0 ? { missing: "no namespace could be read" } : sumOfWindows(windows);
    const tallies = {
      certain: this.#tally(this.#certain, WHOLE_HOST),
      maybe: this.#tally(this.#maybe, WHOLE_HOST),
    };
    return { netns: undefined, ...tallies, kernel, gone };
  }
}

function windowBetween(opens: NamespaceRead | undefined, closes: NamespaceRead): CounterWindow | NoWindow {
  if ("missing" in closes.counters) return { missing: closes.counters.missing };
  if (opens === undefined) return counterWindow(undefined, closes.counters);
  if ("missing" in opens.counters) return { missing: opens.counters.missing };
  return counterWindow(opens.counters, closes.counters);
}
