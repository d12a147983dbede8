import type { PodRecord } from "../event/cluster.ts";
import type { Ends, EnrichedEvent } from "../event/end-name.ts";
import { CAUSES } from "../event/tcp-event.ts";
import { ATTRIBUTES as A } from "./attributes.ts";
import { type MetricDetail, type Place, placeAttributes, podAttributes } from "./metric-attributes.ts";
import type { MetricFamily, MetricSource } from "./metric-family.ts";
import { RETRANSMIT_METRICS } from "./metrics.ts";
import { type PairOptions, PairSeries, type RetransmitSeries } from "./pair-series.ts";
import { Pairs } from "./pairs.ts";
import { PeerNodes } from "./peer-nodes.ts";
import { type PodCounterReading, PodCounters } from "./pod-counters.ts";
import { type SeriesCounts, SeriesTable } from "./series-table.ts";

export interface RetransmitMetricsOptions {
  readonly detail: MetricDetail;
  readonly place: Place;
  /** Unix time in ms. */
  readonly now: () => number;
  /** Histograms count in exponential buckets as well, for who can read them. */
  readonly exponential?: boolean;
  /** Series of one metric, and of all. */
  readonly maxPerMetric?: number;
  readonly maxSeries?: number;
  /** A series ends when nothing was counted for so long. */
  readonly idleMs?: number;
}

/** Upper bounds of the buckets in seconds: TCP_RTO_MIN (include/net/tcp.h) and its doublings. */
const DOUBLINGS: readonly number[] = Array.from({ length: 10 }, (_, doublings) => 0.2 * 2 ** doublings);
/** Peers with a series of their own are a hundred; those that lost theirs are shown until all readers have had the last. */
const MAX_NODE_PAIRS = 200;

/** Events as metrics: exact whatever their number, in bounded memory. */
export class RetransmitMetrics implements MetricSource {
  readonly #options: RetransmitMetricsOptions;
  readonly #table: SeriesTable;
  readonly #find: RetransmitSeries;
  readonly #peerNodes: PeerNodes;
  readonly #pairs = new Pairs((ends) => new PairSeries(ends, this.#pairOptions));
  readonly #pods = new Map<string, PodRecord>();
  readonly #podCounters = new PodCounters();
  /** Of the table, when the series of the pairs were looked up. */
  #generation = 0;
  #unnamed: PairSeries;

  constructor(options: RetransmitMetricsOptions) {
    const { place, ...bounds } = options;
    this.#options = options;
    this.#table = new SeriesTable({ ...bounds, place: placeAttributes(place) });
    this.#find = beginMetrics(this.#table, options);
    this.#peerNodes = new PeerNodes({ find: this.#find.nodePairs, table: this.#table, node: place.node });
    this.#unnamed = new PairSeries(undefined, this.#pairOptions);
  }

  /** What the bounds cost, and how many series are held. */
  get series(): Readonly<SeriesCounts> & { readonly size: number } {
    return { ...this.#table.counts, size: this.#table.size };
  }

  consume(events: readonly EnrichedEvent[]): void {
    this.#lookUpAnew();
    for (const { event, ends } of events) this.#pair(ends).count(event);
  }

  /** Adds how long a connection stood still: from the first retransmit of an episode to progress. */
  measureStall(ends: Ends | undefined, seconds: number): void {
    this.#lookUpAnew();
    this.#pair(ends).measureStall(seconds);
  }

  /** Tells of a pod that lives on this node: `tcp.retransmits` of each type is 0 from now on. Telling again changes nothing. */
  podSeen(pod: PodRecord): void {
    const source = podAttributes(pod, this.#options.detail);
    this.#pods.set(pod.uid, pod);
    this.#table.podSeen(pod.uid, () =>
      CAUSES.map((cause) => this.#find.retransmits({ ...source, [A.retransmitType]: cause }, pod)),
    );
  }

  /** Tells that a pod is gone: its series end when every reader has had the last of them. */
  podGone(uid: string): void {
    this.#pods.delete(uid);
    this.#podCounters.podGone(uid);
    this.#table.podGone(uid);
  }

  /** Takes a reading of a living pod's counters. Pods that share the node's network namespace have none. */
  podCounters(uid: string, reading: PodCounterReading): void {
    const pod = this.#pods.get(uid);
    if (pod === undefined || pod.hostNetwork) return;
    const moved = this.#podCounters.move(uid, reading);
    const source = podAttributes(pod, this.#options.detail);
    for (const what of ["sent", "retransmitted"] as const) {
      const series = this.#find[what](source, pod);
      series.isPinned = true;
      series.value += moved[what];
    }
  }

  /** Ends what is over, and ranks peers: to be called every few seconds with the Unix time in ms. */
  expire(nowUnixMs: number): void {
    this.#table.expire(nowUnixMs);
    this.#peerNodes.rank(nowUnixMs);
  }

  collect(nowUnixMs: number, reader: string): readonly MetricFamily[] {
    return this.#table.collect(nowUnixMs, reader);
  }

  missed(reader: string, collectedUnixMs: number): void {
    this.#table.missed(reader, collectedUnixMs);
  }

  #pair(ends: Ends | undefined): PairSeries {
    return ends === undefined ? this.#unnamed : this.#pairs.get(ends);
  }

  #lookUpAnew(): void {
    if (this.#generation === this.#table.generation && !this.#peerNodes.isFull) return;
    this.#generation = this.#table.generation;
    this.#peerNodes.forget();
    this.#pairs.clear();
    this.#unnamed = new PairSeries(undefined, this.#pairOptions);
  }

  get #pairOptions(): PairOptions {
    return { find: this.#find, detail: this.#options.detail, peerNodes: this.#peerNodes };
  }
}

function beginMetrics(
  table: SeriesTable,
  { detail, place }: Pick<RetransmitMetricsOptions, "detail" | "place">,
): RetransmitSeries {
  const M = RETRANSMIT_METRICS;
  const ofPod = detail !== "workload";
  const otherPeers = { [A.sourceNode]: place.node, [A.destinationNode]: "other" };
  return {
    segments: table.metric(M.segments, { ofPod }),
    retransmits: table.metric(M.retransmits, { ofPod }),
    failures: table.metric(M.failures, { ofPod }),
    lossProbes: table.metric(M.lossProbes, { ofPod }),
    sent: table.metric(M.sent, { ofPod }),
    retransmitted: table.metric(M.retransmitted, { ofPod }),
    timeout: table.metric(M.timeout, { bounds: DOUBLINGS }),
    stall: table.metric(M.stall, { bounds: DOUBLINGS }),
    nodePairs: table.metric(M.nodePairs, { max: MAX_NODE_PAIRS, overflow: otherPeers }),
    zonePairs: table.metric(M.zonePairs),
  };
}
