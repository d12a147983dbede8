import { CAUSES, type Cause, OUTCOMES, type Outcome, type TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";

/** A SYN-ACK timer that fired on a listener (a probe on tcp_syn_ack_timeout); only TCPTimeouts counts it. */
export interface SynAckTimer {
  readonly kind: "syn_ack_timer";
  readonly time: TraceNanos;
  readonly netns: number | undefined;
}

/** Whatever the kernel's counters count too. */
export type Observation = TcpEvent | SynAckTimer;

/** Sums for one cause. `segments` are those sent; a failed attempt sent none. */
export interface CauseCount {
  readonly sent: number;
  readonly failed: number;
  readonly segments: number;
}

/**
 * Errors with which __tcp_retransmit_skb leaves before it counts anything (net/ipv4/tcp_output.c): EAGAIN,
 * ENOMEM, EBUSY, EINVAL, EHOSTUNREACH. Any other comes from the transmission, after RetransSegs.
 */
const BEFORE_COUNTING: ReadonlySet<number> = new Set([-11, -12, -16, -22, -113]);

/** Events and segments of one network namespace, added up by what the identities ask for. */
export class Tally {
  readonly #causes = noCauses();
  readonly #probes = noOutcomes();
  #synFailuresCounted = 0;
  #synFailuresUntold = 0;
  #synAckTimers = 0;
  #assumed = 0;

  /** Adds an event; one whose segments the rung cannot tell counts as one segment and as assumed. */
  add(observation: Observation): void {
    if (observation.kind === "syn_ack_timer") {
      this.#synAckTimers += 1;
      return;
    }
    const { cause, outcome, error, segments } = observation;
    const count = this.#causes[cause];
    if (observation.kind === "loss_probe") this.#probes[outcome]++;
    if (outcome === "failed") {
      count.failed++;
      if (cause === "syn" && error === undefined) this.#synFailuresUntold += 1;
      else if (cause === "syn" && !BEFORE_COUNTING.has(error ?? 0)) this.#synFailuresCounted += 1;
    } else if (outcome === "sent") {
      count.sent++;
      count.segments += segments ?? 1;
      // A SYN or SYN-ACK is one segment always.
      if (segments === undefined && cause !== "syn" && cause !== "syn_ack") this.#assumed += 1;
    }
  }

  /** Adds all of another tally to this one. */
  addAll(other: Tally): void {
    for (const cause of CAUSES) this.#addTo(cause, other.cause(cause));
    for (const outcome of OUTCOMES) this.#probes[outcome] += other.probes(outcome);
    this.#synFailuresCounted += other.synFailuresCounted;
    this.#synFailuresUntold += other.synFailuresUntold;
    this.#synAckTimers += other.synAckTimers;
    this.#assumed += other.assumed;
  }

  cause(cause: Cause): CauseCount {
    return this.#causes[cause];
  }

  /** Tail loss probes with this outcome; `sent` are those that retransmitted. */
  probes(outcome: Outcome): number {
    return this.#probes[outcome];
  }

  /** Segments sent, over all causes. */
  get segments(): number {
    return CAUSES.reduce((sum, cause) => sum + this.cause(cause).segments, 0);
  }

  /** Events, whatever their outcome, and SYN-ACK timers. */
  get observations(): number {
    const retransmits = CAUSES.reduce(
      (sum, name) => sum + this.cause(name).sent + this.cause(name).failed,
      0,
    );
    const others = this.probes("new_data") + this.probes("nothing") + this.probes("unknown");
    return retransmits + others + this.#synAckTimers;
  }

  /** SYN attempts that failed after TCPSynRetrans had counted them, by their errno. */
  get synFailuresCounted(): number {
    return this.#synFailuresCounted;
  }

  /** SYN attempts that failed with an errno which the kernel does not tell (before 6.17). */
  get synFailuresUntold(): number {
    return this.#synFailuresUntold;
  }

  get synAckTimers(): number {
    return this.#synAckTimers;
  }

  /** Sent events whose number of segments is not known and was taken for one. */
  get assumed(): number {
    return this.#assumed;
  }

  #addTo(cause: Cause, { sent, failed, segments }: CauseCount): void {
    const count = this.#causes[cause];
    count.sent += sent;
    count.failed += failed;
    count.segments += segments;
  }
}

type Counting = { -readonly [K in keyof CauseCount]: CauseCount[K] };

function noCauses(): Readonly<Record<Cause, Counting>> {
  const none = CAUSES.map((cause) => [cause, { sent: 0, failed: 0, segments: 0 }]);
  return Object.fromEntries(none) as Record<Cause, Counting>;
}

function noOutcomes(): Record<Outcome, number> {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
}

/** Adds observations up. */
export function tallyOf(observations: Iterable<Observation>): Tally {
  const tally = new Tally();
  for (const observation of observations) tally.add(observation);
  return tally;
}
