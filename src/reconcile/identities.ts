import type { Sight } from "./sight.ts";
import type { Tally } from "./tally.ts";

/** The kernel counters that the identities name. Tcp in /proc/net/snmp, TcpExt in /proc/net/netstat. */
export const COUNTERS = [
  "RetransSegs",
  "TCPFastRetrans",
  "TCPSlowStartRetrans",
  "TCPSynRetrans",
  "TCPLossProbes",
  "TCPTimeouts",
  "TCPRetransFail",
  "TCPAbortOnTimeout",
  "TCPAbortOnMemory",
  "TCPKeepAlive",
  "TCPWinProbe",
  "TCPFastOpenPassive",
] as const;
export type CounterName = (typeof COUNTERS)[number];

/** Counters of a namespace since it was made; undefined: this kernel has no such counter. */
export type CounterValues = Readonly<Record<CounterName, bigint | undefined>>;

/** How the counters moved in a window, and where they stood at its end. */
export interface CounterWindow {
  readonly moved: Readonly<Record<CounterName, number | undefined>>;
  readonly life: CounterValues;
}

/** A part of a kernel counter that is not made of records: taken from another counter, or only bounded. */
export interface Term {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** All that a rule may look at. */
export interface Facts {
  readonly tally: Tally;
  readonly kernel: CounterWindow;
  readonly sight: Sight;
}

/** `seen + terms = counter`, with the rules by which a rung may be unable to say so. */
export interface Identity {
  readonly counter: CounterName;
  /** The left side in words. */
  readonly formula: string;
  /** `segment`: one event may be many; `event`: each lost record hides at most one. */
  readonly unit: "segment" | "event";
  /** A missed attempt (a kprobe that did not run) can hide what this identity counts. */
  readonly needsAttempts: boolean;
  readonly seen: (tally: Tally) => number;
  readonly terms: (facts: Facts) => readonly Term[];
  /** Why the kernel may rightly have counted any number more than was seen, equal numbers proving nothing. */
  readonly uncheckable: (facts: Facts) => string | undefined;
  /** Why the kernel may rightly have counted more than was seen; equal numbers still agree. */
  readonly blind: (facts: Facts) => string | undefined;
}

const none = (): undefined => undefined;

/** The one table of identities between events and kernel counters, measured on 5.10, 6.1, 6.12 and 7.2. */
export const IDENTITIES: readonly Identity[] = [
  {
    // Counted before the transmission; a failure of it is also in TCPRetransFail, with the same segments.
    counter: "RetransSegs",
    formula: "sent + SYN-ACK + TCPRetransFail",
    unit: "segment",
    needsAttempts: false,
    seen: (tally) => tally.segments,
    terms: ({ kernel }) => exactly("TCPRetransFail", kernel.moved.TCPRetransFail ?? 0),
    uncheckable: none,
    blind: unknownSegments,
  },
  {
    // tcp_xmit_retransmit_queue counts the segments it sent outside CA_Loss here, in CA_Loss below.
    counter: "TCPFastRetrans",
    formula: "fast + reordering",
    unit: "segment",
    needsAttempts: false,
    seen: (tally) => tally.cause("fast").segments + tally.cause("reordering").segments,
    terms: unclassified,
    uncheckable: none,
    blind: unknownSegments,
  },
  {
    counter: "TCPSlowStartRetrans",
    formula: "slow_start + mtu",
    unit: "segment",
    needsAttempts: false,
    seen: (tally) => tally.cause("slow_start").segments + tally.cause("mtu").segments,
    terms: unclassified,
    uncheckable: none,
    blind: unknownSegments,
  },
  {
    // A SYN is counted with RetransSegs, so also when its transmission then fails.
    counter: "TCPSynRetrans",
    formula: "syn + syn_ack",
    unit: "event",
    needsAttempts: true,
    seen: (tally) => tally.cause("syn").sent + tally.synFailuresCounted + tally.cause("syn_ack").sent,
    terms: failedSyns,
    uncheckable: none,
    blind: none,
  },
  {
    // Probes, not segments, and not the calls of tcp_send_loss_probe that found nothing to send.
    counter: "TCPLossProbes",
    formula: "retransmitted + new data",
    unit: "event",
    needsAttempts: true,
    seen: (tally) => tally.probes("sent") + tally.probes("new_data"),
    terms: ({ tally }) => between("new data, by the counter", 0, tally.probes("unknown")),
    uncheckable: none,
    blind: ({ sight }) =>
      sight.lossProbeCalls ? undefined : `the ${sight.rung} rung does not see probes that sent new data`,
  },
  {
    // Timer expiries, not sends; a zero-window expiry leaves tcp_retransmit_timer before the counter.
    counter: "TCPTimeouts",
    formula: "timeout + SYN + SYN-ACK timers + final expiries",
    unit: "event",
    needsAttempts: true,
    seen: (tally) => attempts(tally, "timeout") + attempts(tally, "syn") + tally.synAckTimers,
    terms: finalExpiries,
    uncheckable: ({ tally, sight }) =>
      sight.synAckTimers || tally.cause("syn_ack").sent === 0
        ? undefined
        : "SYN-ACKs were retransmitted and no probe saw their timers",
    blind: unseenExpiries,
  },
];

function attempts(tally: Tally, cause: "timeout" | "syn"): number {
  return tally.cause(cause).sent + tally.cause(cause).failed;
}

function exactly(name: string, value: number): readonly Term[] {
  return value === 0 ? [] : [{ name, min: value, max: value }];
}

function between(name: string, min: number, max: number): readonly Term[] {
  return max === 0 ? [] : [{ name, min, max }];
}

/** Each event is one segment at least: numbers that are equal prove that each was one, and that none is missing. */
function unknownSegments({ tally, sight }: Facts): string | undefined {
  if (tally.assumed === 0 || sight.oneSegmentEach) return undefined;
  return `the segments of ${tally.assumed} events are not known, one each was assumed`;
}

/** Events of cause `other`: an outcome too poor to classify, or the queue in an unusual state. */
function unclassified({ tally }: Facts): readonly Term[] {
  return between("cause not known", 0, tally.cause("other").segments);
}

/** Failed SYNs whose errno does not show on which side of the counting they failed: never beyond TCPRetransFail. */
function failedSyns({ tally, kernel, sight }: Facts): readonly Term[] {
  const failed = kernel.moved.TCPRetransFail ?? 0;
  const possible = sight.failures ? Math.min(failed, tally.synFailuresUntold) : failed;
  return between("failed SYNs, of TCPRetransFail", 0, possible);
}

/**
 * The last expiry kills the socket and retransmits nothing. tcp_write_err() counts it in TCPAbortOnTimeout,
 * but so it does for keepalive and zero-window probes and for Fast Open's SYN-ACKs that gave up, which are no
 * timeouts; tcp_out_of_resources() counts it in TCPAbortOnMemory, like tcp_close(). A namespace that has never
 * done any of these has exact numbers.
 */
function finalExpiries({ tally, kernel }: Facts): readonly Term[] {
  const { moved, life } = kernel;
  const aborts = moved.TCPAbortOnTimeout ?? 0;
  const memory = moved.TCPAbortOnMemory ?? 0;
  const others = [life.TCPKeepAlive, life.TCPWinProbe, life.TCPFastOpenPassive].some((value) => value !== 0n);
  const zeroWindow = tally.cause("window_probe").sent + tally.cause("window_probe").failed > 0;
  const name = memory === 0 ? "TCPAbortOnTimeout" : "TCPAbortOnTimeout and TCPAbortOnMemory";
  return between(name, others || zeroWindow ? 0 : aborts, aborts + memory);
}

function unseenExpiries({ sight, kernel, tally }: Facts): string | undefined {
  if (!sight.failures) return `the ${sight.rung} rung does not see failed attempts on this kernel`;
  if (tally.cause("other").sent > 0) return `the cause of ${tally.cause("other").sent} events is not known`;
  // The last SYN-ACK timer of a half-open connection sends nothing, long after the one before it.
  const synAcksEver = (kernel.life.TCPSynRetrans ?? 0n) > BigInt(tally.cause("syn").sent);
  return sight.synAckTimers || !synAcksEver ? undefined : "no probe sees SYN-ACK timers that send nothing";
}
