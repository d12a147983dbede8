import { libc } from "./libc.ts";
import type { Namespace } from "./namespace.ts";

const AF_INET = 2;
const AF_INET6 = 10;
/** SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, include/linux/net.h */
const STREAM = 1 | 0x800 | 0x80000;
const NONBLOCK = 0x800 | 0x80000;
/** MSG_DONTWAIT | MSG_NOSIGNAL, include/linux/socket.h */
const MSG_FLAGS = 0x40 | 0x4000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
/** include/uapi/linux/in.h and tcp.h */
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_REPAIR = 19;
const TCP_REPAIR_OFF_NO_WP = -1;
const TCP_REPAIR_WINDOW = 29;

const scratch = Buffer.alloc(1 << 18);

/** An IP address with a port. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** A TCP socket of a given network namespace, with the options that make retransmits. */
export class TcpSocket {
  readonly #fd: number;
  /** Bytes sent and received so far. */
  sent = 0;
  received = 0;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static listen(namespace: Namespace, place: Place): TcpSocket {
    const fd = open(namespace, place);
    libc.bind(fd, sockaddr(place));
    libc.listen(fd);
    return new TcpSocket(fd);
  }

  /** Begins to connect; the handshake goes on by itself. */
  static connect(namespace: Namespace, place: Place): TcpSocket {
    const fd = open(namespace, place);
    libc.connect(fd, sockaddr(place));
    return new TcpSocket(fd);
  }

  /** The next connection, or undefined while there is none. */
  accept(): TcpSocket | undefined {
    const fd = libc.accept(this.#fd, NONBLOCK);
    return fd < 0 ? undefined : new TcpSocket(fd);
  }

  /** Sends what the socket takes now of `length` bytes, as one write. */
  send(length: number): number {
    const taken = Math.max(0, libc.send(this.#fd, scratch.subarray(0, length), MSG_FLAGS));
    this.sent += taken;
    return taken;
  }

  /** Reads all that has come. */
  drain(): void {
    for (;;) {
      const got = libc.recv(this.#fd, scratch, MSG_FLAGS);
      if (got <= 0) return;
      this.received += got;
    }
  }

  /** Sends each write at once (TCP_NODELAY), so that each is a packet of its own. */
  sendAtOnce(on: boolean): void {
    libc.setsockopt(this.#fd, IPPROTO_TCP, TCP_NODELAY, i32(on ? 1 : 0));
  }

  /** Bounds the receive buffer in bytes (SO_RCVBUF). */
  receiveBuffer(bytes: number): void {
    libc.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, i32(bytes));
  }

  /**
   * Makes the socket believe that its peer has closed the window, as an acknowledgement with window 0 would
   * (`struct tcp_repair_window`: snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup; since 4.8).
   */
  closePeerWindow(): void {
    const window = Buffer.alloc(20);
    libc.setsockopt(this.#fd, IPPROTO_TCP, TCP_REPAIR, i32(1));
    libc.getsockopt(this.#fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, window);
    window.writeUInt32LE(0, 4);
    libc.setsockopt(this.#fd, IPPROTO_TCP, TCP_REPAIR_WINDOW, window);
    libc.setsockopt(this.#fd, IPPROTO_TCP, TCP_REPAIR, i32(TCP_REPAIR_OFF_NO_WP));
  }
}

function open(namespace: Namespace, { address }: Place): number {
  return namespace.within(() => libc.socket(address.includes(":") ? AF_INET6 : AF_INET, STREAM));
}

/** `struct sockaddr_in` and `sockaddr_in6`, include/uapi/linux/in.h and in6.h. */
function sockaddr({ address, port }: Place): Uint8Array {
  const v6 = address.includes(":");
  const bytes = Buffer.alloc(v6 ? 28 : 16);
  bytes.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  if (!v6) {
    bytes.set(address.split(".").map(Number), 4);
    return bytes;
  }
  const [head = "", tail = ""] = address.split("::").map((part) => part);
  for (const [i, group] of head.split(":").entries())
    bytes.writeUInt16BE(Number.parseInt(group, 16), 8 + 2 * i);
  const last = tail.split(":");
  for (const [i, group] of last.entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 24 - 2 * (last.length - i));
  }
  return bytes;
}

function i32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
