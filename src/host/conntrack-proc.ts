import { open } from "node:fs/promises";
import {
  type ConntrackAnswer,
  type ConntrackError,
  type ConntrackPair,
  type ConntrackSource,
  type ConntrackSourceCounts,
  NO_ENTRY,
  NO_SOURCE_COUNTS,
} from "./conntrack-answer.ts";
import { formatTuple, matchLine } from "./conntrack-lines.ts";

export interface ProcConntrackOptions {
  /** Hands on each answer. */
  readonly onAnswer: (pair: ConntrackPair, answer: ConntrackAnswer) => void;
  /** Monotonic clock in ms. */
  readonly now: () => number;
  /** At least so long from the end of one pass to the start of the next. */
  readonly minIntervalMs?: number;
  /** Passes take at most this part of the time: after a long one the next is that much later. */
  readonly maxShare?: number;
  /** A pass ends, its connections unanswered, after so many bytes or so long. */
  readonly maxBytes?: number;
  readonly maxPassMs?: number;
  /** Connections that may wait for one pass. */
  readonly maxWaiting?: number;
}

/** Requests of the first moments go into one pass. */
const GATHER_MS = 20;
/** The kernel gives about a page for each read(2), whatever the buffer. */
const SLICE = 65_536;
/** A line is below 400 bytes; what is longer is none. */
const MAX_LINE = 4096;

/**
 * Looks connections up in a /proc nf_conntrack file, which lists the whole table. Requests wait for the next
 * pass, which answers all of them; passes are bounded in length and in their share of the time, read by slices in
 * another thread, and end as soon as nothing is wanted any more. Older kernels walk their hash from its start for
 * every page that they give (ct_get_idx() in net/netfilter/nf_conntrack_standalone.c), so that a pass over a big
 * table is cut there; and a table that changes under a pass can hide an entry from it.
 */
export class ProcConntrack implements ConntrackSource {
  readonly #path: string;
  readonly #options: Required<ProcConntrackOptions>;
  #waiting = new Map<string, ConntrackPair>();
  #reading = new Map<string, ConntrackPair>();
  #timer: NodeJS.Timeout | undefined;
  #isPassing = false;
  #nextPass = Number.NEGATIVE_INFINITY;
  #counts = NO_SOURCE_COUNTS;
  #ended = false;

  constructor(path: string, options: ProcConntrackOptions) {
    this.#path = path;
    this.#options = {
      minIntervalMs: 1000,
      maxShare: 0.02,
      maxBytes: 256 * 1024 * 1024,
      maxPassMs: 5000,
      maxWaiting: 4096,
      ...options,
    };
  }

  get counts(): ConntrackSourceCounts {
    return this.#counts;
  }

  ask(pair: ConntrackPair): ConntrackAnswer {
    const tuple = formatTuple(pair);
    if (tuple === undefined) return { kind: "failed", error: "bad_address" };
    if (this.#reading.has(tuple) || this.#waiting.has(tuple)) return { kind: "pending" };
    if (this.#waiting.size >= this.#options.maxWaiting || this.#ended)
      return { kind: "failed", error: "too_many" };
    const { ipVersion, localAddress, localPort, peerAddress, peerPort } = pair;
    this.#waiting.set(tuple, { ipVersion, localAddress, localPort, peerAddress, peerPort });
    this.#schedule();
    return { kind: "pending" };
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#reading.clear();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isPassing) return;
    const delay = Math.max(GATHER_MS, this.#nextPass - this.#options.now());
    this.#timer = setTimeout(() => void this.#pass(), delay);
    this.#timer.unref();
  }

  async #pass(): Promise<void> {
    const { now, minIntervalMs, maxShare } = this.#options;
    this.#timer = undefined;
    this.#isPassing = true;
    this.#reading = this.#waiting;
    this.#waiting = new Map();
    const start = now();
    const end = await this.#read(start);
    const lastPassMs = now() - start;
    this.#counts = { ...this.#counts, passes: this.#counts.passes + 1, lastPassMs };
    this.#nextPass = now() + Math.max(minIntervalMs, lastPassMs / maxShare);
    const rest = [...this.#reading.values()];
    this.#reading = new Map();
    this.#isPassing = false;
    for (const pair of rest) this.#options.onAnswer(pair, end);
    if (this.#waiting.size > 0 && !this.#ended) this.#schedule();
  }

  /** Reads until all is found; gives the answer of those that are not. */
  async #read(start: number): Promise<ConntrackAnswer> {
    const { now, maxBytes, maxPassMs } = this.#options;
    try {
      await using file = await open(this.#path, "r");
      const buffer = Buffer.allocUnsafeSlow(SLICE);
      let rest = "";
      for (let bytes = 0; this.#reading.size > 0; ) {
        if (bytes > maxBytes || now() - start > maxPassMs) return failed("cut");
        const { bytesRead } = await file.read(buffer, 0, SLICE, null);
        bytes += bytesRead;
        const end = bytesRead === 0;
        rest = this.#take(`${rest}${buffer.toString("latin1", 0, bytesRead)}${end ? "\n" : ""}`);
        if (end) break;
      }
      return NO_ENTRY;
    } catch {
      return failed("unreadable");
    }
  }

  /** Goes through the whole lines of a text; gives what is left behind the last of them. */
  #take(text: string): string {
    let start = 0;
    let lines = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      const found = matchLine(text.slice(start, end), this.#reading);
      start = end + 1;
      lines++;
      if (found === undefined) continue;
      const pair = this.#reading.get(found.tuple);
      this.#reading.delete(found.tuple);
      if (pair !== undefined) this.#options.onAnswer(pair, found.answer);
    }
    this.#counts = { ...this.#counts, lines: this.#counts.lines + lines };
    return text.length - start > MAX_LINE ? "" : text.slice(start);
  }
}

function failed(error: ConntrackError): ConntrackAnswer {
  return { kind: "failed", error };
}
