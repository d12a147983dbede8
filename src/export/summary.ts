import type { EndName, Ends } from "../event/end-name.ts";
import type { Cause, SocketFields, TcpEvent } from "../event/tcp-event.ts";
import { BoundedTallies, type TalliesView } from "./bounded-tallies.ts";
import { byEnds } from "./by-ends.ts";
import { formatEndName } from "./format-end-name.ts";
import { bySegments, countEvent, emptyTally, type Tally } from "./tally.ts";

/** One connection, as its retransmitting socket saw it. */
export interface ConnectionTally
  extends Tally,
    Pick<SocketFields, "ipVersion" | "localAddress" | "localPort" | "peerAddress" | "peerPort" | "netns"> {
  /** The names at its last event; undefined where names are not asked for. */
  ends: Ends | undefined;
}

/** Everything between two names. */
export interface PairTally extends Tally {
  /** As formatEndName() writes them. */
  readonly source: string;
  readonly destination: string;
  readonly local: EndName;
  readonly peer: EndName;
}

/** A summary at one moment. */
export interface SummaryView {
  readonly total: Tally;
  readonly connections: TalliesView<ConnectionTally>;
  /** Undefined where no event had names. */
  readonly pairs: TalliesView<PairTally> | undefined;
  /** Most segments first. */
  readonly causes: readonly (readonly [Cause, Tally])[];
  /** Events whose segments the rung cannot tell: one each was assumed. */
  readonly assumed: number;
}

export interface SummaryOptions {
  /** Connections held. */
  readonly maxConnections?: number;
  /** Pairs of names held. */
  readonly maxPairs?: number;
}

const MAX_CONNECTIONS = 4096;
const MAX_PAIRS = 4096;

/** Counts events per connection, per pair of names and per cause, in bounded memory. */
export class Summary {
  readonly #connections: BoundedTallies<ConnectionTally>;
  readonly #pairs: BoundedTallies<PairTally>;
  readonly #causes = new Map<Cause, Tally>();
  readonly #total = emptyTally();
  readonly #namesOf = byEnds(pairNames);
  #named = false;
  #assumed = 0;

  constructor({ maxConnections = MAX_CONNECTIONS, maxPairs = MAX_PAIRS }: SummaryOptions = {}) {
    this.#connections = new BoundedTallies(maxConnections);
    this.#pairs = new BoundedTallies(maxPairs);
  }

  add(event: TcpEvent, unixNanos: bigint, ends?: Ends): void {
    if (event.outcome === "sent" && event.segments === undefined) this.#assumed += 1;
    const cause = this.#causes.get(event.cause) ?? emptyTally();
    this.#causes.set(event.cause, cause);
    const connection = this.#connection(event);
    if (ends !== undefined) {
      this.#named = true;
      connection.ends = ends;
      countEvent(this.#pair(event, ends), event, unixNanos);
    }
    for (const tally of [cause, this.#total, connection]) countEvent(tally, event, unixNanos);
  }

  /** What was counted so far, with at most `rows` connections and pairs by themselves. */
  view({ rows }: { readonly rows: number }): SummaryView {
    return {
      total: this.#total,
      connections: this.#connections.view(rows),
      pairs: this.#named ? this.#pairs.view(rows) : undefined,
      causes: [...this.#causes].sort(([, a], [, b]) => bySegments(a, b)),
      assumed: this.#assumed,
    };
  }

  #connection({ socket }: TcpEvent): ConnectionTally {
    const { ipVersion, localAddress, localPort, peerAddress, peerPort, netns } = socket;
    const key = `${localAddress} ${localPort} ${peerAddress} ${peerPort} ${netns}`;
    const ends = { ipVersion, localAddress, localPort, peerAddress, peerPort, netns, ends: undefined };
    return this.#connections.get(key, () => ({ ...ends, ...emptyTally() }));
  }

  #pair(event: TcpEvent, ends: Ends): PairTally {
    const { key, names } = this.#namesOf(event.socket, ends);
    return this.#pairs.get(key, () => ({ ...names, ...emptyTally() }));
  }
}

function pairNames({ local, peer }: Ends) {
  const [source, destination] = [formatEndName(local), formatEndName(peer)];
  return { key: `${source}\n${destination}`, names: { source, destination, local, peer } };
}
