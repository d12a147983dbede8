import type { EndName, Ends } from "../event/end-name.ts";
import type { SocketFields } from "../event/tcp-event.ts";
import type { Between } from "../export/episodes.ts";
import { formatEndName } from "../export/format-end-name.ts";
import type { PairRow } from "../export/page-model.ts";
import { Pairs } from "../export/pairs.ts";
import { WindowedCounts } from "./windowed-counts.ts";

/** What is held of a pair. */
interface Pair {
  readonly source: string;
  readonly destination: string;
  readonly counts: WindowedCounts;
}

/** Pairs held by themselves, about 1.5 kB each: when there are more, the smaller half is forgotten. */
const MAX_PAIRS = 2048;

/** Counts by the pair of pods, or of addresses where there are no names, in bounded memory. */
export class TopPairs {
  readonly #max: number;
  readonly #pairs = new Map<string, Pair>();
  readonly #byEnds = new Pairs(({ local, peer }: Ends) => this.#pair(podName(local), podName(peer)));
  readonly #byAddresses = new Map<string, Map<string, Pair>>();
  /** Pairs that are no longer held; one that came back counts again. */
  #forgotten = 0;

  constructor({ max = MAX_PAIRS }: { readonly max?: number } = {}) {
    this.#max = max;
  }

  /** The counts of a pair, good until the next call. */
  of({ socket, ends }: Between): WindowedCounts {
    if (this.#pairs.size >= this.#max) this.#forget();
    if (ends !== undefined) return this.#byEnds.get(ends).counts;
    const { localAddress, peerAddress } = socket;
    return (this.#byAddresses.get(localAddress)?.get(peerAddress) ?? this.#ofAddresses(socket)).counts;
  }

  /** At the time of a slot the largest of the last five minutes, then those since the start; and how many others there are. */
  view(rows: number, slot: number) {
    const sorted = [...this.#pairs.values()]
      .map((pair) => ({ pair, recent: pair.counts.recentSize(slot), total: pair.counts.totalSize() }))
      .sort((a, b) => b.recent - a.recent || b.total - a.total);
    const rest = Math.max(0, sorted.length - rows);
    return {
      rows: sorted.slice(0, rows).map(({ pair: { source, destination, counts } }): PairRow => {
        return { source, destination, recent: counts.recent(slot), total: counts.total() };
      }),
      others: this.#forgotten + rest,
    };
  }

  #ofAddresses({ localAddress, peerAddress }: SocketFields): Pair {
    const pair = this.#pair(localAddress, peerAddress);
    const byPeer = this.#byAddresses.get(localAddress) ?? new Map<string, Pair>();
    this.#byAddresses.set(localAddress, byPeer.set(peerAddress, pair));
    return pair;
  }

  #pair(source: string, destination: string): Pair {
    const key = `${source}\n${destination}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    const fresh = { source, destination, counts: new WindowedCounts() };
    this.#pairs.set(key, fresh);
    return fresh;
  }

  #forget(): void {
    const sorted = [...this.#pairs].sort(([, a], [, b]) => b.counts.weight - a.counts.weight);
    const kept = this.#max >> 1;
    for (const [key] of sorted.slice(kept)) this.#pairs.delete(key);
    for (const [, { counts }] of sorted.slice(0, kept)) counts.weight /= 2; // what has ended makes room for what goes on
    this.#forgotten += sorted.length - kept;
    this.#byEnds.clear();
    this.#byAddresses.clear();
  }
}

/** An end without the services that lead to its pod: connections through any of them are of one pair. */
function podName(end: EndName): string {
  return formatEndName(end.pod === undefined ? end : { ...end, service: undefined, candidates: [] });
}
