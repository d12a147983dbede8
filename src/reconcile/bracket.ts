import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";

/** When counters were read: their values are those of some moment between the two times. */
export interface ReadInterval {
  readonly from: TraceNanos;
  readonly until: TraceNanos;
}

/**
 * RetransSegs moves microseconds before the record of the outcome, TCPFastRetrans and TCPLossProbes after it;
 * an interrupt in between makes that longer. An event this near to a read (in nanoseconds) is ambiguous.
 */
export const READ_SLACK_NANOS = 1_000_000;

/** Where a time lies as seen from a read of the counters: `inside` means that it may be in them or not. */
export function positionOf(
  time: TraceNanos,
  { from, until }: ReadInterval,
  slackNanos: number = READ_SLACK_NANOS,
): "before" | "inside" | "after" {
  if (time < from - slackNanos) return "before";
  return time > until + slackNanos ? "after" : "inside";
}

/** The reads at both ends of a window; undefined: the namespace did not exist yet, or not any more. */
export interface Bracket {
  readonly opens: ReadInterval | undefined;
  readonly closes: ReadInterval | undefined;
}

/** Whether the difference of the two reads contains an event of that time. */
export function placeOf(
  time: TraceNanos,
  { opens, closes }: Bracket,
  slackNanos?: number,
): "certain" | "maybe" | "outside" {
  const opened = opens === undefined ? "after" : positionOf(time, opens, slackNanos);
  const closed = closes === undefined ? "before" : positionOf(time, closes, slackNanos);
  if (opened === "before" || closed === "after") return "outside";
  return opened === "after" && closed === "before" ? "certain" : "maybe";
}

/** The interval that holds all of them; undefined when there are none. */
export function hullOf(reads: readonly ReadInterval[]): ReadInterval | undefined {
  if (reads.length === 0) return undefined;
  return {
    from: traceNanos(Math.min(...reads.map(({ from }) => from))),
    until: traceNanos(Math.max(...reads.map(({ until }) => until))),
  };
}
