import { TCP_NEW_SYN_RECV, TCP_SYN_RECV, TCP_SYN_SENT } from "../event/kernel-tcp.ts";
import type { SocketKey, TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";

/** Connections remembered at least, and twice as many at most: about 150 bytes each. */
const MAX = 16_384;
/** The kernel gives up on a connection after about 15 minutes of retransmits (tcp_retries2), two minutes apart at the end. */
const FORGET_NANOS = 300e9;

interface Connection {
  readonly localPort: number;
  readonly peerPort: number;
  readonly peerAddress: string;
  readonly since: TraceNanos;
  last: TraceNanos;
  isOpening: boolean;
}

/**
 * Since when each connection has been seen. Who is at its ends does not change while it lives, but who has their
 * addresses does: a connection that outlives its peer belongs to who was there when it was seen first.
 */
export class ConnectionMemory {
  /** Two generations: when the younger is full, it takes the older one's place. */
  #young = new Map<SocketKey, Connection>();
  #old = new Map<SocketKey, Connection>();

  /** Time of the connection's first event; an event's own, where it is the first. */
  since({ socket, time }: TcpEvent): TraceNanos {
    const { key, localPort, peerPort, peerAddress, state } = socket;
    const isOpening = state === TCP_SYN_SENT || state === TCP_SYN_RECV || state === TCP_NEW_SYN_RECV;
    const known = this.#young.get(key) ?? this.#old.get(key);
    const isSame =
      known !== undefined &&
      known.peerPort === peerPort &&
      known.localPort === localPort &&
      known.peerAddress === peerAddress &&
      time - known.last < FORGET_NANOS &&
      (known.isOpening || !isOpening);
    if (!isSame) {
      this.#keep(key, { localPort, peerPort, peerAddress, since: time, last: time, isOpening });
      return time;
    }
    if (time > known.last) {
      known.last = time;
      known.isOpening = isOpening;
    }
    if (!this.#young.has(key)) this.#keep(key, known);
    return known.since;
  }

  #keep(key: SocketKey, connection: Connection): void {
    if (this.#young.size >= MAX) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, connection);
  }
}
