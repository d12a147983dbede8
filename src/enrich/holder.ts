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

/**
 * The pod at the other end of a connection with this address, gone or not by now: who had the address when it answered.
 * Where that is not told, who had it when the connection was seen first. Where that is open it stays so: who has it
 * later need not have answered this connection with a reset, whose packets may not even leave.
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
  if (heard === undefined && sinceMs >= unixMs) return asHolder(now);
  const first = heard === undefined ? cluster.podAt(address, sinceMs) : undefined;
  // Whoever has it now came after the peer, which is not known or not remembered.
  if (first === undefined) return now && { kind: "ambiguous" };
  if (first.kind === "ambiguous") return first;
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
  return first?.kind !== "ambiguous" || lastMs === firstMs ? first : cluster.podAnswering(address, lastMs);
}

/** What was not acknowledged when its owner closed the socket is sent again so soon: the first timeout is seldom longer. */
export const CLOSED_MS = 5_000;
/** So long a pod with an open connection lives at least. */
const CLOSED_STEP_MS = 1_000;

/**
 * The pod whose socket has this address. A socket that is neither closed nor closing has a living owner, who has the
 * address now; one that is closing may outlive its pod, also before it was seen first.
 */
export function holderOfSocket(address: string, state: number, moment: Moment): Holder | undefined {
  if (outlivesOwner(state)) {
    const held = holderOfConnection(address, moment);
    return moment.wasClosing && isOther(held, address, moment) ? { kind: "ambiguous" } : held;
  }
  const now = moment.sources.cluster.podAt(address, moment.unixMs);
  return now?.kind === "tombstone" ? { kind: "ambiguous" } : asHolder(now);
}

/** Whether another pod had an address when the owner of a socket that was closing when seen first may have closed it. */
function isOther(held: Holder | undefined, address: string, { sinceMs, heard, sources }: Moment): boolean {
  if (heard !== undefined || held === undefined || held.kind === "ambiguous") return false;
  for (let ms = CLOSED_STEP_MS; ms <= CLOSED_MS; ms += CLOSED_STEP_MS) {
    const before = sources.cluster.podAt(address, sinceMs - ms);
    if (before !== undefined && (before.kind === "ambiguous" || before.pod !== held.pod)) return true;
  }
  return false;
}

/** Whether no process holds a socket in this state any more (net/ipv4/tcp.c, __tcp_close()). */
export function outlivesOwner(state: number): boolean {
  return (
    state === TCP_FIN_WAIT1 || state === TCP_FIN_WAIT2 || state === TCP_LAST_ACK || state === TCP_CLOSING
  );
}

function asHolder(at: PodAtAddress | undefined): Holder | undefined {
  if (at === undefined || at.kind === "ambiguous") return at;
  return { kind: at.kind, pod: at.pod, mayChange: at.kind === "tombstone" };
}
