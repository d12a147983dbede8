import type { Ends } from "../event/end-name.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { ATTRIBUTES as A, type AttributeValue, EVENT_NAMES, SPAN_NAME } from "./attributes.ts";
import type { Episode, EpisodeEnd } from "./episode.ts";
import type { Stall } from "./episode-stall.ts";
import { countAttributes } from "./event-counts.ts";
import { formatError } from "./format-error.ts";
import type { SpanIds } from "./log-entry.ts";
import { recordConnection } from "./log-record-connection.ts";
import type { SpanStatus, StartSpan } from "./open-span.ts";
import { resourcePod } from "./resource-pod.ts";

export interface SpanOptions {
  readonly startSpan: StartSpan;
  /** Events that a span tells one by one, the first ones. */
  readonly maxEventsPerSpan: number;
  /** Spans begun in a second; further episodes have none. */
  readonly maxPerSecond?: number;
  readonly unixNanos: (time: TraceNanos) => bigint;
}

/** The span of an episode. */
export interface EpisodeSpan {
  readonly ids: SpanIds;
  event(event: TcpEvent): void;
  end(episode: Episode, how: EpisodeEnd, stall: Stall | undefined): void;
}

/** Begins a span at the first event of an episode; undefined where this one is not sampled. */
export function startEpisodeSpan(
  first: TcpEvent,
  ends: Ends | undefined,
  options: SpanOptions,
): EpisodeSpan | undefined {
  const { startSpan, maxEventsPerSpan } = options;
  const startUnixNanos = options.unixNanos(first.time);
  // One scale for all of a span: what is known of the wall clock changes meanwhile, and it may be set back.
  const unixNanos = (time: TraceNanos) => startUnixNanos + BigInt(Math.round(time - first.time));
  const span = startSpan({ name: SPAN_NAME, startUnixNanos, pod: resourcePod(ends) });
  if (span === undefined) return undefined;
  let events = 0;
  return {
    ids: { traceId: span.traceId, spanId: span.spanId },
    event(event) {
      if (events++ < maxEventsPerSpan)
        span.event(EVENT_NAMES[event.kind], unixNanos(event.time), about(event));
    },
    end(episode, how, stall) {
      span.end({
        unixNanos: unixNanos(episode.counts.last),
        attributes: spanAttributes(episode, how, stall),
        status: STATUS[how],
      });
    },
  };
}

const STATUS: Readonly<Record<EpisodeEnd, SpanStatus>> = {
  recovered: { code: "ok" },
  abandoned: {
    code: "error",
    message: "The kernel gave up: nothing was acknowledged within its limit of retransmits",
  },
  quiet: { code: "unset" },
  cut_short: { code: "unset" },
};

function spanAttributes(
  { last, ends, counts }: Episode,
  how: EpisodeEnd,
  stall: Stall | undefined,
): Readonly<Record<string, AttributeValue>> {
  const { netns } = last.socket;
  return {
    ...recordConnection(last.socket, ends).attributes,
    ...(netns === undefined ? {} : { [A.netns]: netns }),
    [A.rung]: last.rung,
    ...countAttributes(counts),
    [A.episodeEnd]: how,
    ...(stall === undefined ? {} : { [A.stallMin]: stall.min }),
    ...(stall?.max === undefined ? {} : { [A.stallMax]: stall.max }),
  };
}

/** What a span event says of an event; all of it is in the log record. */
function about({
  cause,
  outcome,
  segments,
  error,
  socket,
}: TcpEvent): Readonly<Record<string, AttributeValue>> {
  const errorType = formatError(error);
  return {
    [A.retransmitType]: cause,
    [A.outcome]: outcome,
    ...(segments === undefined ? {} : { [A.segments]: segments }),
    ...(errorType === undefined ? {} : { [A.errorType]: errorType }),
    ...(socket.retransmits === undefined ? {} : { [A.retransmitCount]: socket.retransmits }),
    ...(socket.backoff === undefined ? {} : { [A.backoff]: socket.backoff }),
    ...(socket.rto === undefined ? {} : { [A.rto]: socket.rto }),
  };
}
