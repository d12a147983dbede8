import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { HttpLimits } from "./http-limits.ts";

/** What the bounds have cost so far. */
export interface HttpCounts {
  /** Connections ended since there were too many, or too many requests on one. */
  readonly displaced: number;
  /** Answers cut off since they were not taken in time. */
  readonly cutOff: number;
  /** Requests that were told to come again later. */
  readonly refused: number;
}

/**
 * The connections of a server, within bounds. Of too many the one that has been idle for the longest ends: whoever
 * fills them all keeps a probe of the kubelet from nothing.
 */
export class HttpConnections {
  readonly #limits: HttpLimits;
  /** Answers under way by connection; the one used last is the last. */
  readonly #underWay = new Map<Socket, number>();
  readonly #counts = { displaced: 0, cutOff: 0, refused: 0 };
  #waitingBytes = 0;

  constructor(limits: HttpLimits) {
    this.#limits = limits;
  }

  get counts(): HttpCounts {
    return this.#counts;
  }

  opened(socket: Socket): void {
    if (this.#underWay.size >= this.#limits.connections) this.#displaceOne();
    this.#underWay.set(socket, 0);
    socket.once("close", () => this.#underWay.delete(socket));
  }

  /** Notes a request; false where its connection has too many already and is ended for it. */
  asked(socket: Socket, response: ServerResponse): boolean {
    const underWay = this.#underWay.get(socket) ?? 0;
    if (socket.destroyed) return false; // what else had come with the request that it was ended for
    if (underWay >= this.#limits.pipelined) {
      this.#counts.displaced++;
      socket.destroy();
      return false;
    }
    this.#underWay.delete(socket);
    this.#underWay.set(socket, underWay + 1);
    const late = setTimeout(() => {
      this.#counts.cutOff++;
      socket.destroy();
    }, this.#limits.answerMs);
    response.once("close", () => {
      clearTimeout(late);
      const left = this.#underWay.get(socket);
      if (left !== undefined) this.#underWay.set(socket, left - 1);
    });
    return true;
  }

  /** Whether there is no room for another large answer. */
  get full(): boolean {
    return this.#waitingBytes >= this.#limits.waitingBytes;
  }

  /** Notes what is sent: it waits until it is taken, or its connection ends. */
  sends(response: ServerResponse, bytes: number): void {
    this.#waitingBytes += bytes;
    response.once("close", () => {
      this.#waitingBytes -= bytes;
    });
  }

  refuses(): void {
    this.#counts.refused++;
  }

  #displaceOne(): void {
    const [first] = this.#underWay.keys();
    const idle = this.#underWay.entries().find(([, underWay]) => underWay === 0)?.[0];
    const socket = idle ?? first;
    if (socket === undefined) return;
    this.#counts.displaced++;
    this.#underWay.delete(socket); // its close comes later than the next connection may
    socket.destroy();
  }
}
