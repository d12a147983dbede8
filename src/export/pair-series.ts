import type { Ends } from "../event/end-name.ts";
import type { Cause, Outcome, TcpEvent } from "../event/tcp-event.ts";
import { ATTRIBUTES as A } from "./attributes.ts";
import { destinationAttributes, type MetricDetail, sourceAttributes } from "./metric-attributes.ts";
import type { MetricAttributes } from "./metric-family.ts";
import type { RETRANSMIT_METRICS } from "./metrics.ts";
import type { PeerNode, PeerNodes } from "./peer-nodes.ts";
import type { Series } from "./series.ts";
import type { FindSeries } from "./series-table.ts";

/** How the series of each metric are found. */
export type RetransmitSeries = Readonly<Record<keyof typeof RETRANSMIT_METRICS, FindSeries>>;

export interface PairOptions {
  readonly find: RetransmitSeries;
  readonly detail: MetricDetail;
  readonly peerNodes: PeerNodes;
}

/** What a sent retransmit of one cause counts in. */
interface Sent {
  readonly segments: Series;
  readonly retransmits: Series;
}

/** Causes whose timer has expired: then the RTO is how long the socket had waited. */
const TIMERS: ReadonlySet<Cause> = new Set<Cause>(["timeout", "syn", "window_probe"]);

/** The series in which the events between two ends are counted, each looked up once. */
export class PairSeries {
  readonly #ends: Ends | undefined;
  readonly #options: PairOptions;
  readonly #source: MetricAttributes;
  readonly #sent: { [cause in Cause]?: Sent } = {};
  readonly #failures: { [cause in Cause]?: Series } = {};
  readonly #lossProbes: { [outcome in Outcome]?: Series } = {};
  #peerNode: PeerNode | undefined;
  #zones: Series | undefined;
  #timeout: Series | undefined;
  #stall: Series | undefined;

  constructor(ends: Ends | undefined, options: PairOptions) {
    this.#ends = ends;
    this.#options = options;
    this.#source = sourceAttributes(ends?.local, options.detail);
  }

  count({ kind, cause, outcome, segments, socket }: TcpEvent): void {
    if (kind === "loss_probe") {
      this.#lossProbes[outcome] ??= this.#findLossProbes(outcome);
      this.#lossProbes[outcome].value++;
    } else if (outcome === "failed") {
      this.#failures[cause] ??= this.#findFailures(cause);
      this.#failures[cause].value++;
    }
    if (outcome === "sent") this.#countSent(cause, segments ?? 1);
    if (socket.rto !== undefined && kind === "retransmit" && TIMERS.has(cause)) {
      this.#timeout ??= this.#ofWorkload("timeout");
      this.#timeout.measure(socket.rto);
    }
  }

  measureStall(seconds: number): void {
    this.#stall ??= this.#ofWorkload("stall");
    this.#stall.measure(seconds);
  }

  #countSent(cause: Cause, segments: number): void {
    const sent = this.#sent[cause] ?? this.#findSent(cause);
    sent.segments.value += segments;
    sent.retransmits.value++;
    this.#peerNode ??= this.#findPeerNode();
    this.#peerNode.series.value += segments;
    this.#peerNode.recent += segments;
    this.#zones ??= this.#findZones();
    this.#zones.value += segments;
  }

  #findSent(cause: Cause): Sent {
    const { find, detail } = this.#options;
    const type = { [A.retransmitType]: cause };
    const destination = destinationAttributes(this.#ends?.peer, detail);
    const pod = this.#ends?.local.pod;
    const sent: Sent = {
      segments: find.segments({ ...this.#source, ...destination, ...type }, pod),
      retransmits: find.retransmits({ ...this.#source, ...type }, pod),
    };
    this.#sent[cause] = sent;
    return sent;
  }

  #findFailures(cause: Cause): Series {
    return this.#options.find.failures({ ...this.#source, [A.retransmitType]: cause }, this.#ends?.local.pod);
  }

  #findLossProbes(outcome: Outcome): Series {
    return this.#options.find.lossProbes({ ...this.#source, [A.outcome]: outcome }, this.#ends?.local.pod);
  }

  #ofWorkload(metric: "timeout" | "stall"): Series {
    const local = this.#ends?.local;
    return this.#options.find[metric](sourceAttributes(local, "workload"), local?.pod);
  }

  #findPeerNode(): PeerNode {
    const peer = this.#ends?.peer;
    return this.#options.peerNodes.get(peer?.node?.name ?? peer?.pod?.nodeName);
  }

  /** An end whose zone is not known has none. */
  #findZones(): Series {
    const source = this.#ends?.local.node?.zone;
    const destination = this.#ends?.peer.node?.zone;
    return this.#options.find.zonePairs({
      ...(source === undefined ? {} : { [A.sourceZone]: source }),
      ...(destination === undefined ? {} : { [A.destinationZone]: destination }),
    });
  }
}
