import { CAUSES, type Cause, type TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { ATTRIBUTES as A, type AttributeValue, TYPE_KEYS } from "./attributes.ts";

/** What several events have in common that one record or span stands for. */
export interface EventCounts {
  /** All of them: retransmits, failed ones too, and tail loss probes. */
  events: number;
  /** Retransmits that were sent, loss probes that retransmitted among them. */
  retransmits: number;
  /** Segments of those; one is assumed for an event whose segments are not known. */
  segments: number;
  /** Failed attempts. */
  failures: number;
  /** Tail loss probes, whatever became of them. */
  lossProbes: number;
  /** Events by type. */
  readonly byType: Record<Cause, number>;
  /** Largest `icsk_backoff`; -1 where none was told. */
  maxBackoff: number;
  first: TraceNanos;
  last: TraceNanos;
}

/** Counts of nothing yet, from the time of the first event on. */
export function emptyCounts({ time }: TcpEvent): EventCounts {
  const none = { events: 0, retransmits: 0, segments: 0, failures: 0, lossProbes: 0 };
  return { ...none, byType: { ...NO_TYPES }, maxBackoff: -1, first: time, last: time };
}

const NO_TYPES = Object.fromEntries(CAUSES.map((cause) => [cause, 0])) as Record<Cause, number>;

export function countEvent(counts: EventCounts, event: TcpEvent): void {
  const { time, outcome, segments } = event;
  counts.events++;
  counts.byType[event.cause]++;
  if (event.kind === "loss_probe") counts.lossProbes++;
  else if (outcome === "failed") counts.failures++;
  if (outcome === "sent") {
    counts.retransmits++;
    counts.segments += segments ?? 1;
  }
  const { backoff } = event.socket;
  if (backoff !== undefined && backoff > counts.maxBackoff) counts.maxBackoff = backoff;
  if (time < counts.first) counts.first = time;
  if (time > counts.last) counts.last = time;
}

/** The counts as flat attributes; a type without events has no key. */
export function countAttributes(counts: EventCounts): Readonly<Record<string, AttributeValue>> {
  const byType = CAUSES.filter((cause) => counts.byType[cause] > 0);
  return {
    [A.summaryEvents]: counts.events,
    [A.summaryRetransmits]: counts.retransmits,
    [A.summarySegments]: counts.segments,
    [A.summaryFailures]: counts.failures,
    [A.summaryLossProbes]: counts.lossProbes,
    ...Object.fromEntries(byType.map((cause) => [TYPE_KEYS[cause], counts.byType[cause]])),
    ...(counts.maxBackoff < 0 ? {} : { [A.backoff]: counts.maxBackoff }),
  };
}

/** `timeout 3, fast 12`, most first. */
export function formatTypes({ byType }: EventCounts): string {
  return CAUSES.filter((cause) => byType[cause] > 0)
    .sort((a, b) => byType[b] - byType[a])
    .map((cause) => `${cause} ${byType[cause]}`)
    .join(", ");
}
