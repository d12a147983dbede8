import { ATTRIBUTES as A } from "./attributes.ts";
import type { Series } from "./series.ts";
import type { FindSeries, SeriesTable } from "./series-table.ts";

export interface PeerNodesOptions {
  readonly find: FindSeries;
  readonly table: Pick<SeriesTable, "retire">;
  /** The name of this node. */
  readonly node: string;
  /** Peers with a series of their own. */
  readonly max?: number;
}

/** A peer node, where its segments are counted, and how many there were lately. */
export interface PeerNode {
  series: Series;
  recent: number;
}

/** One with a name, which can have a series of its own. */
interface Ranked extends PeerNode {
  readonly name: string;
  isOwn: boolean;
}

const MAX_OWN = 100;
/** Names of nodes that are ranked; nodes come and go for years. */
const MAX_RANKED = 5000;
/** How often nodes are ranked, and what of the earlier segments weighs each time: half after three and a half minutes. */
const RANK_MS = 60_000;
const KEPT = 0.82;
/** Nodes that change places in one ranking, and by how much a node must be ahead for that. */
const MAX_CHANGES = 10;
const AHEAD = 2;
const OTHER = "other";

/** What a segment to a peer node counts in: those with the most segments have a series of their own, the rest have one. */
export class PeerNodes {
  readonly #options: PeerNodesOptions;
  readonly #byName = new Map<string, Ranked>();
  #ownCount = 0;
  #rankedMs = Number.NEGATIVE_INFINITY;

  constructor(options: PeerNodesOptions) {
    this.#options = options;
  }

  /** Too many names are held: whoever keeps some should let them go and call `forget`. */
  get isFull(): boolean {
    return this.#byName.size > MAX_RANKED;
  }

  /** The node with this name; undefined for a peer that is on no known node. */
  get(name: string | undefined): PeerNode {
    if (name === undefined) return { series: this.#find(undefined), recent: 0 };
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const peer = this.#hasRoom()
      ? this.#own(name)
      : { name, series: this.#find(OTHER), recent: 0, isOwn: false };
    this.#byName.set(name, peer);
    return peer;
  }

  /** Gives series to the nodes that had the most segments of late. What was counted stays where it was counted. */
  rank(nowUnixMs: number): void {
    if (nowUnixMs - this.#rankedMs < RANK_MS) return;
    this.#rankedMs = nowUnixMs;
    const ranked = [...this.#byName.values()].sort((a, b) => b.recent - a.recent);
    const waiting = ranked.filter(({ isOwn, recent }) => !isOwn && recent > 0).slice(0, MAX_CHANGES);
    for (const peer of waiting) {
      if (!this.#hasRoom()) {
        const last = ranked.findLast(({ isOwn }) => isOwn);
        if (last === undefined || peer.recent < AHEAD * last.recent) break;
        this.#giveUp(last);
      }
      Object.assign(peer, this.#own(peer.name), { recent: peer.recent });
    }
    for (const peer of ranked) peer.recent *= KEPT;
  }

  /** Forgets nodes whose series has ended, and all without one when they are too many. */
  forget(): void {
    const { isFull } = this;
    for (const [name, { series, isOwn }] of this.#byName) {
      if (isOwn ? !series.isOver : !isFull) continue;
      if (isOwn) this.#ownCount--;
      this.#byName.delete(name);
    }
  }

  #hasRoom(): boolean {
    return this.#ownCount < (this.#options.max ?? MAX_OWN);
  }

  #own(name: string): Ranked {
    const series = this.#find(name);
    const isOwn = series.attributes[A.destinationNode] === name; // the table may have had no room
    if (isOwn) {
      this.#ownCount++;
      series.ending = undefined;
    }
    return { name, series, recent: 0, isOwn };
  }

  #giveUp(peer: Ranked): void {
    this.#options.table.retire(peer.series, "outranked");
    this.#ownCount--;
    peer.isOwn = false;
    peer.series = this.#find(OTHER);
  }

  #find(name: string | undefined): Series {
    const { find, node } = this.#options;
    return find({ [A.sourceNode]: node, ...(name === undefined ? {} : { [A.destinationNode]: name }) });
  }
}
