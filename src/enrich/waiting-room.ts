import type { SocketKey, TcpEvent } from "../event/tcp-event.ts";
import type { NamespaceOwner } from "./lookups.ts";

export interface Waiting {
  readonly event: TcpEvent;
  /** When it came, on the clock of the waiting, in nanoseconds. */
  readonly since: number;
  /** What it waits for: the local end's and the peer's. */
  awaits: readonly string[];
  /** Whose its namespace was when it came, where that is a pod: the number may be another's when the wait is over. */
  readonly space: NamespaceOwner | undefined;
}

/** Events that wait for a name, in the order of their coming; a socket's later ones wait behind its first. */
export class WaitingRoom {
  #waiting: Waiting[] = [];
  readonly #perSocket = new Map<SocketKey, number>();

  get size(): number {
    return this.#waiting.length;
  }

  /** Whether an event of this socket is waiting. */
  holds({ socket }: TcpEvent): boolean {
    return this.#perSocket.has(socket.key);
  }

  add(waiting: Waiting): void {
    const { key } = waiting.event.socket;
    this.#waiting.push(waiting);
    this.#perSocket.set(key, (this.#perSocket.get(key) ?? 0) + 1);
  }

  /** Takes out the one that has waited the longest: the first of its socket, so order is kept. */
  takeOldest(): Waiting | undefined {
    const oldest = this.#waiting.shift();
    if (oldest !== undefined) this.#leave(oldest.event.socket.key);
    return oldest;
  }

  /** Lets out, in order, every event that `mayGo` and that has none of its socket before it. */
  release(mayGo: (waiting: Waiting) => boolean): void {
    const blocked = new Set<SocketKey>();
    this.#waiting = this.#waiting.filter((waiting) => {
      const { key } = waiting.event.socket;
      if (blocked.has(key) || !mayGo(waiting)) {
        blocked.add(key);
        return true;
      }
      this.#leave(key);
      return false;
    });
  }

  #leave(key: SocketKey): void {
    const left = (this.#perSocket.get(key) ?? 0) - 1;
    if (left > 0) this.#perSocket.set(key, left);
    else this.#perSocket.delete(key);
  }
}
