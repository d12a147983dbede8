import type { PodRecord } from "../event/cluster.ts";
import type { EnrichedEvent } from "../event/end-name.ts";
import { CAUSES } from "../event/tcp-event.ts";
import { ATTRIBUTES as A } from "./attributes.ts";
import { type MetricDetail, type Place, placeAttributes, podAttributes } from "./metric-attributes.ts";
import type { MetricFamily, MetricSource } from "./metric-family.ts";
import { RETRANSMIT_METRICS } from "./metrics.ts";
import { type PairOptions, PairSeries, type RetransmitSeries } from "./pair-series.ts";
import { Pairs } from "./pairs.ts";
import { type SeriesCounts, SeriesTable } from "./series-table.ts";

export interface RetransmitMetricsOptions {
  readonly detail: MetricDetail;
  readonly place: Place;
  /** Unix time in ms. */
  readonly now: () => number;
  /** Series of one metric, and of all. */
  readonly maxPerMetric?: number;
  readonly maxSeries?: number;
  /** A series ends when nothing was counted for so long. */
  readonly idleMs?: number;
}

/** Upper bounds of the buckets of timeouts in seconds: TCP_RTO_MIN (include/net/tcp.h) and its doublings. */
const RTO_BOUNDS: readonly number[] = Array.from({ length: 10 }, (_, doublings) => 0.2 * 2 ** doublings);
const MAX_PEER_NODES = 100;

/** Events as metrics: exact whatever their number, in bounded memory. */
export class RetransmitMetrics implements MetricSource {
  readonly #options: RetransmitMetricsOptions;
  readonly #table: SeriesTable;
  readonly #find: RetransmitSeries;
  readonly #pairs = new Pairs((ends) => new PairSeries(ends, this.#pairOptions));
  /** Of the table, when the series of the pairs were looked up. */
  #generation = 0;
  #unnamed: PairSeries;

  constructor(options: RetransmitMetricsOptions) {
    const { place, ...bounds } = options;
    this.#options = options;
    this.#table = new SeriesTable({ ...bounds, place: placeAttributes(place) });
    this.#find = beginMetrics(this.#table, place.node);
    this.#unnamed = new PairSeries(undefined, this.#pairOptions);
  }

  /** What the bounds cost, and how many series are held. */
  get series(): Readonly<SeriesCounts> & { readonly size: number } {
    return { ...this.#table.counts, size: this.#table.size };
  }

  consume(events: readonly EnrichedEvent[]): void {
    if (this.#generation !== this.#table.generation) this.#lookUpAnew();
    for (const { event, ends } of events) {
      const pair = ends === undefined ? this.#unnamed : this.#pairs.get(ends);
      pair.count(event);
    }
  }

  /** Tells of a pod that lives on this node: `tcp.retransmits` of each type is 0 from now on. Telling again changes nothing. */
  podSeen(pod: PodRecord): void {
    const source = podAttributes(pod, this.#options.detail);
    this.#table.podSeen(pod.uid, () =>
      CAUSES.map((cause) => this.#find.retransmits({ ...source, [A.retransmitType]: cause }, pod.uid)),
    );
  }

  /** Tells that a pod is gone: its series end when every reader has had the last of them. */
  podGone(uid: string): void {
    this.#table.podGone(uid);
  }

  /** Ends what is over: to be called every few seconds with the Unix time in ms. */
  expire(nowUnixMs: number): void {
    this.#table.expire(nowUnixMs);
  }

  collect(nowUnixMs: number, reader = ""): readonly MetricFamily[] {
    return this.#table.collect(nowUnixMs, reader);
  }

  #lookUpAnew(): void {
    this.#generation = this.#table.generation;
    this.#pairs.clear();
    this.#unnamed = new PairSeries(undefined, this.#pairOptions);
  }

  get #pairOptions(): PairOptions {
    const { detail, place } = this.#options;
    return { find: this.#find, detail, node: place.node };
  }
}

function beginMetrics(table: SeriesTable, node: string): RetransmitSeries {
  const M = RETRANSMIT_METRICS;
  const otherPeers = { [A.sourceNode]: node, [A.destinationNode]: "other" };
  return {
    segments: table.metric(M.segments),
    retransmits: table.metric(M.retransmits),
    failures: table.metric(M.failures),
    lossProbes: table.metric(M.lossProbes),
    timeout: table.metric(M.timeout, { bounds: RTO_BOUNDS }),
    nodePairs: table.metric(M.nodePairs, { max: MAX_PEER_NODES, overflow: otherPeers }),
    zonePairs: table.metric(M.zonePairs),
  };
}
