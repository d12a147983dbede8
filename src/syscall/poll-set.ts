/** include/uapi/asm-generic/poll.h */
const POLLIN = 0x01;

/** `struct pollfd` { int fd; short events; short revents; } is 8 bytes on every architecture. */
const POLLFD_SIZE = 8;

/** poll(2) with a timeout of 0 on `count` pollfds: how many have something, or minus the errno. */
export type PollCall = (pollfds: Uint8Array, count: number) => number;

/** A fixed set of file descriptors, prepared once, asked together in one system call. */
export class PollSet {
  readonly #call: PollCall;
  readonly #count: number;
  readonly #bytes: Uint8Array;
  readonly #shorts: Int16Array;

  constructor(fds: readonly number[], call: PollCall) {
    this.#call = call;
    this.#count = fds.length;
    // Views on an explicit ArrayBuffer: V8 keeps small typed arrays inside its heap, where they move.
    const memory = new ArrayBuffer(fds.length * POLLFD_SIZE);
    this.#bytes = new Uint8Array(memory);
    this.#shorts = new Int16Array(memory);
    const ints = new Int32Array(memory);
    fds.forEach((fd, index) => {
      ints[index * 2] = fd;
      this.#shorts[index * 4 + 2] = POLLIN;
    });
  }

  /** Asks without waiting; gives how many descriptors are ready, 0 also when a signal came in between. */
  poll(): number {
    if (this.#count === 0) return 0;
    const ready = this.#call(this.#bytes, this.#count);
    if (ready > 0) return ready;
    for (let index = 0; index < this.#count; index++) this.#shorts[index * 4 + 3] = 0;
    return 0;
  }

  /** Whether the descriptor at this place of the set had data, an error or a hang-up at the last poll(). */
  ready(index: number): boolean {
    return (this.#shorts[index * 4 + 3] ?? 0) !== 0;
  }
}
