import type { Ends } from "../event/end-name.ts";
import type { Cause, Outcome, TcpEvent } from "../event/tcp-event.ts";
import { ATTRIBUTES as A } from "./attributes.ts";
import {
  destinationAttributes,
  type MetricAttributes,
  type MetricDetail,
  sourceAttributes,
} from "./metric-attributes.ts";
import type { RETRANSMIT_METRICS } from "./metrics.ts";
import type { Series } from "./series.ts";
import type { FindSeries } from "./series-table.ts";

/** How the series of each metric are found. */
export type RetransmitSeries = Readonly<Record<keyof typeof RETRANSMIT_METRICS, FindSeries>>;

export interface PairOptions {
  readonly find: RetransmitSeries;
  readonly detail: MetricDetail;
  /** The name of this node. */
  readonly node: string;
}

/** What a sent retransmit of one cause counts in. */
interface Sent {
  readonly segments: Series;
  readonly retransmits: Series;
  readonly nodePairs: Series | undefined;
  readonly zonePairs: Series | undefined;
}

/** Causes whose timer has expired: then the RTO is how long the socket had waited. */
const TIMERS: ReadonlySet<Cause> = new Set<Cause>(["timeout", "syn", "window_probe"]);

/** The series in which the events between two ends are counted, each looked up once. */
export class PairSeries {
  readonly #ends: Ends | undefined;
  readonly #options: PairOptions;
  readonly #source: MetricAttributes;
  readonly #sent = new Map<Cause, Sent>();
  readonly #failures = new Map<Cause, Series>();
  readonly #lossProbes = new Map<Outcome, Series>();
  #timeout: Series | undefined;

  constructor(ends: Ends | undefined, options: PairOptions) {
    this.#ends = ends;
    this.#options = options;
    this.#source = sourceAttributes(ends?.local, options.detail);
  }

  count({ kind, cause, outcome, segments, socket }: TcpEvent): void {
    if (kind === "loss_probe") this.#ofLossProbe(outcome).value++;
    else if (outcome === "failed") this.#ofFailure(cause).value++;
    if (outcome === "sent") {
      const assumed = segments ?? 1;
      const sent = this.#sent.get(cause) ?? this.#findSent(cause);
      sent.segments.value += assumed;
      sent.retransmits.value++;
      if (sent.nodePairs !== undefined) sent.nodePairs.value += assumed;
      if (sent.zonePairs !== undefined) sent.zonePairs.value += assumed;
    }
    if (socket.rto !== undefined && kind === "retransmit" && TIMERS.has(cause)) {
      this.#timeout ??= this.#findTimeout();
      this.#timeout.measure(socket.rto);
    }
  }

  get #podUid(): string | undefined {
    return this.#ends?.local.pod?.uid;
  }

  #findSent(cause: Cause): Sent {
    const { find, detail, node } = this.#options;
    const type = { [A.retransmitType]: cause };
    const destination = destinationAttributes(this.#ends?.peer, detail);
    const sent: Sent = {
      segments: find.segments({ ...this.#source, ...destination, ...type }, this.#podUid),
      retransmits: find.retransmits({ ...this.#source, ...type }, this.#podUid),
      ...(this.#ends === undefined ? NO_PAIRS : pairSeries(this.#ends, { find, node })),
    };
    this.#sent.set(cause, sent);
    return sent;
  }

  #ofFailure(cause: Cause): Series {
    const known = this.#failures.get(cause);
    if (known !== undefined) return known;
    const attributes = { ...this.#source, [A.retransmitType]: cause };
    const found = this.#options.find.failures(attributes, this.#podUid);
    this.#failures.set(cause, found);
    return found;
  }

  #ofLossProbe(outcome: Outcome): Series {
    const known = this.#lossProbes.get(outcome);
    if (known !== undefined) return known;
    const attributes = { ...this.#source, [A.outcome]: outcome };
    const found = this.#options.find.lossProbes(attributes, this.#podUid);
    this.#lossProbes.set(outcome, found);
    return found;
  }

  #findTimeout(): Series {
    return this.#options.find.timeout(sourceAttributes(this.#ends?.local, "workload"), this.#podUid);
  }
}

const NO_PAIRS = { nodePairs: undefined, zonePairs: undefined };

/** The series of nodes and zones, of which an end may have none that is known. */
function pairSeries({ local, peer }: Ends, { find, node }: Pick<PairOptions, "find" | "node">) {
  const peerNode = peer.node?.name ?? peer.pod?.nodeName;
  const zones = { [A.sourceZone]: local.node?.zone, [A.destinationZone]: peer.node?.zone };
  return {
    nodePairs: find.nodePairs(known({ [A.sourceNode]: node, [A.destinationNode]: peerNode })),
    zonePairs: find.zonePairs(known(zones)),
  };
}

function known(attributes: Readonly<Record<string, string | undefined>>): MetricAttributes {
  return Object.fromEntries(
    Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
