import type { PodRecord } from "../event/cluster.ts";
import { TCP_CLOSING, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_LAST_ACK } from "../event/kernel-tcp.ts";
import type { ClusterLookup, PodAtAddress } from "./lookups.ts";
import type { Heard, Moment } from "./moment.ts";

/** A pod with a connection's address, or that two may have it. */
export type Holder =
  | {
      readonly kind: "held" | "tombstone";
      readonly pod: PodRecord;
      /** A pod that has not told its address yet may be meant: only of a tombstone. */
      readonly mayChange: boolean;
    }
  | { readonly kind: "ambiguous" };

/** A living peer whose address passed to it answers a connection of its predecessor's with a reset, by then at the latest. */
const RESET_MS = 10_000;

/**
 * The pod at the other end of a connection with this address, gone or not by now: who had the address when it answered.
 * Where that is not told, who had it when the connection was seen first; where that is open, whoever has it a while
 * later, since a stale connection would be reset by then.
 */
export function holderOfConnection(
  address: string,
  { unixMs, sinceMs, heard, sources }: Moment,
): Holder | undefined {
  const { cluster } = sources;
  const answerer = heard === undefined ? undefined : whoAnswered(address, heard, cluster);
  if (answerer?.kind === "ambiguous") return answerer;
  if (answerer !== undefined) {
    const { pod } = answerer;
    const isOver = pod.endedMs !== undefined && pod.endedMs <= unixMs;
    return { kind: isOver ? "tombstone" : "held", pod, mayChange: false };
  }
  const now = cluster.podAt(address, unixMs);
  if (sinceMs >= unixMs) return asHolder(now);
  const first = cluster.podAt(address, sinceMs);
  if (first === undefined) return asHolder(now);
  if (first.kind === "ambiguous") return asHolder(unixMs - sinceMs > RESET_MS ? now : first);
  if (now !== undefined && now.kind !== "ambiguous" && now.pod === first.pod) {
    return { kind: now.kind, pod: now.pod, mayChange: first.kind === "tombstone" };
  }
  const { pod } = first;
  const isOver = now?.kind === "held" || (pod.endedMs !== undefined && pod.endedMs <= unixMs);
  return { kind: isOver ? "tombstone" : first.kind, pod, mayChange: first.kind === "tombstone" };
}

/** Who a peer is does not change while its connection lives: either time tells. */
function whoAnswered(address: string, { firstMs, lastMs }: Heard, cluster: ClusterLookup) {
  const first = cluster.podAnswering(address, firstMs);
  return first?.kind === "held" || lastMs === firstMs ? first : cluster.podAnswering(address, lastMs);
}

/**
 * The pod whose socket has this address. A socket that is neither closed nor closing has a living owner, who has the
 * address now; one that is closing may outlive its pod.
 */
export function holderOfSocket(address: string, state: number, moment: Moment): Holder | undefined {
  if (OUTLIVING.has(state)) return holderOfConnection(address, moment);
  const now = moment.sources.cluster.podAt(address, moment.unixMs);
  return now?.kind === "tombstone" ? { kind: "ambiguous" } : asHolder(now);
}

/** States of sockets that no process holds any more (net/ipv4/tcp.c, __tcp_close()). */
export const OUTLIVING: ReadonlySet<number> = new Set([
  TCP_FIN_WAIT1,
  TCP_FIN_WAIT2,
  TCP_LAST_ACK,
  TCP_CLOSING,
]);

function asHolder(at: PodAtAddress | undefined): Holder | undefined {
  if (at === undefined || at.kind === "ambiguous") return at;
  return { kind: at.kind, pod: at.pod, mayChange: at.kind === "tombstone" };
}
