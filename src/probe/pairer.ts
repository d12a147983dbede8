import { TCP_NEW_SYN_RECV } from "../event/kernel-tcp.ts";
import type { Cause, KernelStack, Outcome, Rung, SocketKey, TcpEvent } from "../event/tcp-event.ts";
import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";
import { causeOf, type Scope } from "./cause.ts";
import type { ProbeRecord } from "./probe-record.ts";
import { Scopes } from "./scopes.ts";
import { causeOfStack, type StackTelling, scopeOfStack, tellingOfStack } from "./stack-cause.ts";

/** What pairing met, each a counter. */
export interface PairingCounts {
  /** Outcomes without an attempt: complete events whose kprobe was missed (re-entry) or is not on this rung. */
  orphanOutcomes: number;
  /** Attempts without an outcome: failed, or a loss probe that did not retransmit. */
  unansweredAttempts: number;
  /** Attempts under way when the capture ended or had a gap: what became of them is not known, and they are no events. */
  cutOffAttempts: number;
}

/** A SYN-ACK timer of a listener (tcp_syn_ack_timeout): no retransmit by itself, but counted in TCPTimeouts. */
export interface SynAckTimer {
  readonly kind: "syn_ack_timer";
  readonly time: TraceNanos;
  readonly netns: number | undefined;
}

export interface PairerOptions {
  readonly rung: Rung;
  /** Names of the functions of a kernel stack, innermost first, suffixes stripped. */
  readonly functionsOf: (stack: readonly bigint[]) => readonly string[];
  readonly emit: (event: TcpEvent) => void;
  readonly synAckTimer?: (timer: SynAckTimer) => void;
}

/** How long an attempt waits for its outcome, in nanoseconds: both lie in one call, so only a stopped CPU comes near it. */
const ATTEMPT_WAIT_NS = 1e9;
/** Sockets whose last congestion state is kept (tracepoint rung). */
const CONG_STATES = 65_536;

/** A time in which not every probe was in place, both ends included. */
interface Gap {
  readonly from: TraceNanos;
  readonly until: TraceNanos;
}

interface Waiting {
  readonly record: ProbeRecord;
  readonly scope: Scope;
}

/**
 * Makes events of records given in time order over all CPUs. Attempt and outcome belong together by socket, whose lock is held
 * from one to the other; softirqs nest and tasks migrate, so neither the CPU nor the record order on it says anything.
 */
export class Pairer {
  readonly counts: PairingCounts = { orphanOutcomes: 0, unansweredAttempts: 0, cutOffAttempts: 0 };
  readonly #options: PairerOptions;
  readonly #waiting = new Map<SocketKey, Waiting>();
  #scopes = new Scopes();
  readonly #congState = new Map<SocketKey, number>();
  /** Equal stacks are one object (stack-table.ts). */
  readonly #tellings = new WeakMap<KernelStack, { readonly of: StackTelling }>();
  #gap: Gap | undefined;

  constructor(options: PairerOptions) {
    this.#options = options;
  }

  push(record: ProbeRecord): void {
    if (this.#gap !== undefined && record.time > this.#gap.until) this.#endGap(this.#gap);
    switch (record.role) {
      case "attempt":
      case "loss_probe":
      case "syn_ack_attempt":
        this.#attempt(record);
        break;
      case "outcome":
        this.#outcome(record);
        break;
      case "syn_ack":
        this.#synAck(record);
        break;
      case "loss_probe_return":
        this.#lossProbeReturn(record);
        break;
      case "syn_ack_timer":
        this.#options.synAckTimer?.({
          kind: "syn_ack_timer",
          time: record.time,
          netns: record.socket?.netns,
        });
        break;
      case "ca_state":
        this.#caState(record);
        break;
      default:
        this.#scopes.push(record);
    }
  }

  /** Gives up on attempts that have waited long enough. */
  settle(now: TraceNanos): void {
    for (const waiting of this.#waiting.values()) {
      if (now - waiting.record.time < ATTEMPT_WAIT_NS) return;
      this.#giveUp(waiting, undefined);
    }
  }

  /** Tells of a time in which probes may have been missing: an attempt that has no outcome in it need not have failed. */
  gap({ from, until }: Gap): void {
    this.#gap = { from: traceNanos(Math.min(from, this.#gap?.from ?? from)), until };
  }

  /** Ends pairing: attempts that have not waited long enough are cut off, for their outcome may have come after the end. */
  end(): void {
    this.counts.cutOffAttempts += this.#waiting.size;
    this.#waiting.clear();
  }

  /** Up to when every event has been emitted, of records pushed up to `pushed`: attempts may be waiting. */
  settledUntil(pushed: TraceNanos): TraceNanos {
    const [oldest] = this.#waiting.values();
    return oldest === undefined ? pushed : traceNanos(Math.min(pushed, oldest.record.time - 1));
  }

  /** What was open in the gap stays unanswered: its outcome, or the return of its function, may be missing. */
  #endGap(gap: Gap): void {
    for (const { record } of this.#waiting.values()) if (isWithin(gap, record)) this.#cutOff(record.key);
    this.#scopes = new Scopes();
    this.#gap = undefined;
  }

  #cutOff(key: SocketKey): void {
    this.#waiting.delete(key);
    this.counts.cutOffAttempts++;
  }

  #attempt(record: ProbeRecord): void {
    const earlier = this.#waiting.get(record.key);
    if (earlier !== undefined) this.#giveUp(earlier, record);
    this.#waiting.set(record.key, { record, scope: this.#scopes.of(record) });
    // One probe is outstanding already: this one sends nothing (tcp_send_loss_probe).
    if (record.role === "loss_probe" && record.tlpHighSeq) this.#answer(record.key, "nothing");
  }

  #outcome(record: ProbeRecord): void {
    const attempt = this.#takeAttempt(record);
    if (attempt === undefined) this.counts.orphanOutcomes++;
    const failed = record.error !== undefined && record.error !== 0;
    const cause = this.#causeOfOutcome(record, attempt);
    const probe = cause === "tail_loss_probe";
    this.#options.emit({
      kind: probe ? "loss_probe" : "retransmit",
      time: record.time,
      cpu: record.cpu,
      pid: record.pid,
      rung: this.#options.rung,
      cause,
      outcome: !failed ? "sent" : probe ? "nothing" : "failed",
      error: record.error ?? (failed ? undefined : 0),
      segments: failed ? 0 : segmentsSent(record, attempt?.record),
      socket: mergedSocket(record, attempt?.record),
      stack: attempt?.record.stack ?? record.stack,
    });
  }

  /** The attempt that an outcome answers: a probe's outcome without its own probe does not answer another attempt, nor the reverse. */
  #takeAttempt(outcome: ProbeRecord): Waiting | undefined {
    const waiting = this.#waiting.get(outcome.key);
    if (waiting === undefined) return undefined;
    const ofProbe = causeOf(outcome, undefined) === "tail_loss_probe";
    if (outcome.socket?.pending !== undefined && ofProbe !== (waiting.record.role === "loss_probe")) {
      this.#giveUp(waiting, outcome);
      return undefined;
    }
    this.#waiting.delete(outcome.key);
    return waiting;
  }

  #causeOfOutcome(record: ProbeRecord, attempt: Waiting | undefined): Cause {
    if (this.#options.rung === "tracepoint") {
      const state = record.socket?.state ?? 0;
      return causeOfStack(this.#tellingOf(record), { state, congState: this.#congState.get(record.key) });
    }
    // A plain tracepoint carries no cause of its own: the attempt's fields name it (kernels before 5.15).
    const telling = record.socket?.pending === undefined && attempt !== undefined ? attempt : undefined;
    return causeOf((telling ?? { record }).record, telling?.scope ?? this.#scopeOf(record));
  }

  #tellingOf({ stack }: ProbeRecord): StackTelling {
    if (stack === undefined) return undefined;
    let telling = this.#tellings.get(stack);
    if (telling === undefined) {
      telling = { of: tellingOfStack(this.#options.functionsOf(stack)) };
      this.#tellings.set(stack, telling);
    }
    return telling.of;
  }

  #scopeOf(record: ProbeRecord): Scope {
    return this.#scopes.of(record) ?? (record.stack && scopeOfStack(this.#options.functionsOf(record.stack)));
  }

  #synAck(record: ProbeRecord): void {
    const attempt = this.#waiting.get(record.key);
    this.#waiting.delete(record.key);
    this.#options.emit({
      ...this.#base(record, attempt?.record),
      kind: "retransmit",
      cause: "syn_ack",
      outcome: "sent",
      error: 0,
      segments: 1,
    });
  }

  #lossProbeReturn(record: ProbeRecord): void {
    const waiting = this.#waiting.get(record.key);
    if (waiting?.record.role !== "loss_probe" || record.tlpHighSeq === undefined) return;
    // tlp_high_seq was 0 at entry and no retransmit was recorded: if it is set now, new data went out.
    this.#answer(record.key, record.tlpHighSeq === 0 ? "nothing" : "new_data");
  }

  #caState(record: ProbeRecord): void {
    if (record.congState === undefined) return;
    // The order of use is of use only where some must go.
    if (this.#congState.size > CONG_STATES / 2) this.#congState.delete(record.key);
    this.#congState.set(record.key, record.congState);
    if (this.#congState.size <= CONG_STATES) return;
    for (const oldest of this.#congState.keys()) {
      this.#congState.delete(oldest);
      return;
    }
  }

  /** Ends a wait: the socket's next record has come, or the time is up. */
  #giveUp(waiting: Waiting, next: ProbeRecord | undefined): void {
    const { role, key } = waiting.record;
    if (this.#gap !== undefined && isWithin(this.#gap, waiting.record)) {
      this.#cutOff(key);
      return;
    }
    // Only tcp_send_loss_probe sets tlp_high_seq: set by the next record, with no probe between, this one sent new data.
    if (role === "loss_probe") this.#answer(key, next?.tlpHighSeq ? "new_data" : "unknown");
    else this.#answer(key, "failed");
  }

  #answer(key: SocketKey, outcome: Outcome): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    this.#waiting.delete(key);
    this.counts.unansweredAttempts++;
    const { record, scope } = waiting;
    this.#options.emit({
      ...this.#base(record, undefined),
      kind: record.role === "loss_probe" ? "loss_probe" : "retransmit",
      cause:
        record.role === "loss_probe" ? "tail_loss_probe" : causeOf(record, scope ?? this.#scopeOf(record)),
      outcome,
      error: undefined,
      segments: outcome === "failed" || outcome === "nothing" ? 0 : undefined,
    });
  }

  #base(record: ProbeRecord, attempt: ProbeRecord | undefined) {
    const { time, cpu, pid } = record;
    const stack = attempt?.stack ?? record.stack;
    return { time, cpu, pid, rung: this.#options.rung, socket: mergedSocket(record, attempt), stack };
  }
}

function isWithin({ from, until }: Gap, { time }: ProbeRecord): boolean {
  return from <= time && time <= until;
}

/**
 * Segments of an event that was sent. An eprobe reads the skb's own count, final at that point. Without one (before 5.15) it is
 * the skb's length in segments, at most what the caller allowed; a loss probe sends one. A tracepoint alone cannot tell.
 */
function segmentsSent(outcome: ProbeRecord, attempt: ProbeRecord | undefined): number | undefined {
  if (outcome.gsoSegs !== undefined) return outcome.gsoSegs;
  if (attempt === undefined) return undefined;
  if (attempt.role === "loss_probe") return 1;
  const mss = attempt.socket?.mss;
  if (attempt.skbLen === undefined || attempt.segsLimit === undefined || !mss) return undefined;
  return Math.max(1, Math.min(attempt.segsLimit, Math.ceil(attempt.skbLen / mss)));
}

function mergedSocket(record: ProbeRecord, attempt: ProbeRecord | undefined) {
  const own = record.socket;
  if (own === undefined || (own.netns === undefined && attempt?.socket !== undefined)) {
    const socket = attempt?.socket;
    if (socket !== undefined)
      return own?.state === TCP_NEW_SYN_RECV ? { ...socket, state: own.state } : socket;
  }
  if (own === undefined)
    throw new TypeError("Cannot make an event: neither record tells the socket's addresses");
  return own;
}
