import type { Ends } from "../event/end-name.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { isInRecovery, isOtherConnection, sequenceAfter, showsRecovery } from "./episode-evidence.ts";
import {
  beginStandstill,
  goOn,
  judge,
  longerStall,
  type Stall,
  type Standstill,
  stallOf,
} from "./episode-stall.ts";
import { countEvent, type EventCounts, emptyCounts } from "./event-counts.ts";

/**
 * How an episode ended: all that it sent again is acknowledged; the kernel gave up; nothing more came; or it was not
 * followed to its end.
 */
export const EPISODE_ENDS = ["recovered", "abandoned", "quiet", "cut_short"] as const;
export type EpisodeEnd = (typeof EPISODE_ENDS)[number];

/** A connection's loss from its first retransmit on, as its events tell it. */
export interface Episode {
  readonly counts: EventCounts;
  last: TcpEvent;
  ends: Ends | undefined;
  wasInRecovery: boolean;
  maxEnd: number | undefined;
  standstill: Standstill | undefined;
  /** The longest of those that are over. */
  stall: Stall | undefined;
}

/** The kernel gives up after about 15 minutes without progress: what lasts longer has had some, and is told in parts. */
const MAX_NANOS = 1200e9;

/** Whether an event begins an episode: a retransmit, failed or not, or a loss probe that retransmitted. */
export function beginsEpisode({ kind, outcome }: TcpEvent): boolean {
  return kind === "retransmit" || outcome === "sent";
}

export function beginEpisode(event: TcpEvent, ends: Ends | undefined): Episode {
  const episode: Episode = {
    counts: emptyCounts(event),
    last: event,
    ends,
    wasInRecovery: false,
    maxEnd: undefined,
    standstill: undefined,
    stall: undefined,
  };
  takeEvent(episode, event, ends);
  return episode;
}

/** How an event that does not belong to the episode ends it; undefined for one that does. */
export function endedBy(episode: Episode, event: TcpEvent): EpisodeEnd | undefined {
  const { last, wasInRecovery, maxEnd, counts } = episode;
  const before = { socket: last.socket, lastTime: last.time, wasInRecovery, maxEnd };
  if (isOtherConnection(before, event)) return "quiet";
  if (showsRecovery(before, event)) return "recovered";
  return event.time - counts.first > MAX_NANOS ? "cut_short" : undefined;
}

/** Takes an event of the episode's connection. */
export function takeEvent(episode: Episode, event: TcpEvent, ends: Ends | undefined): void {
  const { endSeq } = event.socket;
  countEvent(episode.counts, event);
  episode.last = event;
  episode.ends = ends;
  episode.wasInRecovery ||= isInRecovery(event);
  if (endSeq !== undefined && (episode.maxEnd === undefined || sequenceAfter(endSeq, episode.maxEnd)))
    episode.maxEnd = endSeq;
  const { standstill } = episode;
  if (standstill === undefined) {
    if (beginsEpisode(event)) episode.standstill = beginStandstill(event);
    return;
  }
  const judgement = judge(standstill, event);
  if (judgement === "unacknowledged") goOn(standstill, event);
  if (judgement !== "acknowledged") return;
  endStandstill(episode, event.time);
  if (beginsEpisode(event)) episode.standstill = beginStandstill(event);
}

/** The longest stall; `endedBy` is the event that showed that all is acknowledged, where one did. */
export function endStandstill(episode: Episode, endedBy: TraceNanos | undefined): Stall | undefined {
  const { standstill } = episode;
  if (standstill !== undefined) episode.stall = longerStall(episode.stall, stallOf(standstill, endedBy));
  episode.standstill = undefined;
  return episode.stall;
}
