import { TCP_NEW_SYN_RECV, TCP_SYN_RECV, TCP_SYN_SENT } from "../event/kernel-tcp.ts";
import type { SocketKey, TcpEvent } from "../event/tcp-event.ts";
import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";
import { outlivesOwner } from "./holder.ts";
import type { Translation } from "./lookups.ts";

/** Connections remembered at least, and twice as many at most: about 200 bytes each. */
const MAX = 16_384;
/** The kernel gives up on a connection after about 15 minutes of retransmits (tcp_retries2), two minutes apart at the end. */
const FORGET_NANOS = 300e9;
/** The kernel waits so long for the answer to a SYN-ACK before it sends it again (TCP_TIMEOUT_INIT, include/net/tcp.h). */
const SYN_ACK_NANOS = 1e9;

/** What is remembered of a connection: none of it changes from the first answer of its peer on. */
export interface Connection {
  /** Time of its first event, or of its last SYN: until one is answered it goes to whoever has the address then. */
  readonly since: TraceNanos;
  /** No process held its socket any more at that event. */
  readonly wasClosing: boolean;
  /** The first time at which its peer is known to have answered. */
  readonly heard: TraceNanos | undefined;
  /** What connection tracking made of it, kept by who asked: the entry may be gone before the connection. */
  translation: Translation | undefined;
}

interface Known extends Connection {
  since: TraceNanos;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerPort: number;
  readonly peerAddress: string;
  readonly netns: number | undefined;
  last: TraceNanos;
  isOpening: boolean;
  heard: TraceNanos | undefined;
}

/**
 * Since when each connection has been seen. Who is at its ends does not change once its peer has answered, but who has
 * their addresses does: a connection that outlives its peer belongs to who was there when it was seen first.
 */
export class ConnectionMemory {
  /** Two generations: when the younger is full, it takes the older one's place. */
  #young = new Map<SocketKey, Known>();
  #old = new Map<SocketKey, Known>();

  /** The connection of an event, as known from that and those before it. */
  of({ socket, time, cause }: TcpEvent): Connection {
    const { key, localAddress, localPort, peerPort, peerAddress, netns, state } = socket;
    const isOpening = state === TCP_SYN_SENT || state === TCP_SYN_RECV || state === TCP_NEW_SYN_RECV;
    const heard = lastHeard({ socket, time, cause });
    const young = this.#young.get(key);
    const known = young ?? this.#old.get(key);
    const isSame =
      known !== undefined &&
      known.peerPort === peerPort &&
      known.localPort === localPort &&
      known.localAddress === localAddress &&
      known.netns === netns &&
      known.peerAddress === peerAddress &&
      time - known.last < FORGET_NANOS &&
      (known.isOpening || !isOpening);
    if (!isSame) {
      const ends = { localAddress, localPort, peerPort, peerAddress, netns };
      const first = { since: time, wasClosing: outlivesOwner(state), heard, translation: undefined };
      // A SYN came before the first SYN-ACK that is sent again; of those after it only that nobody has answered.
      if (state === TCP_NEW_SYN_RECV) first.heard = traceNanos(time - SYN_ACK_NANOS);
      return this.#keep(key, { ...ends, ...first, last: time, isOpening });
    }
    known.heard ??= heard;
    if (state === TCP_SYN_SENT) known.since = time;
    if (time > known.last) {
      known.last = time;
      known.isOpening = isOpening;
    }
    return young === undefined ? this.#keep(key, known) : known;
  }

  #keep(key: SocketKey, connection: Known): Known {
    if (this.#young.size >= MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, connection);
    return connection;
  }
}

type Heard = Pick<TcpEvent, "socket" | "time" | "cause">;

/** When the peer of a socket is last known to have answered; undefined where that is not told, or it never has. */
export function lastHeard({ socket, time, cause }: Heard): TraceNanos | undefined {
  const { state, sinceAck } = socket;
  const isUnanswered = state === TCP_SYN_SENT || state === TCP_NEW_SYN_RECV;
  if (isUnanswered) return undefined;
  // Not a timer but an acknowledgement that has come in makes these two.
  if (sinceAck === undefined) return cause === "fast" || cause === "slow_start" ? time : undefined;
  return traceNanos(time - sinceAck * 1e9);
}
