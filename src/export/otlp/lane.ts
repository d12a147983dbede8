import { backoffMs } from "./backoff.ts";
import type { ExportClock, ExportLog } from "./export-clock.ts";
import type { DropReason, ExportCounts } from "./export-counts.ts";
import type { Send, SendResult } from "./send-result.ts";

/** Encoded and gzipped records or spans, as they wait. */
export interface Batch {
  readonly gzipped: Uint8Array;
  readonly records: number;
  /** Memory that it takes. */
  readonly bytes: number;
  /** Rises over all lanes. */
  readonly number: number;
}

export interface LaneOptions {
  readonly send: Send;
  /** Most records that may wait here, within the bounds over all lanes. */
  readonly maxRecords: number;
  /** Makes room for a request; undefined where there is none even so. */
  readonly admit: (gzipped: Uint8Array, records: number) => Batch | undefined;
  readonly clock: ExportClock;
  readonly log: ExportLog;
}

/** One signal's way out: its requests in order, one at a time. */
export class Lane {
  readonly #name: string;
  readonly #options: LaneOptions;
  readonly #waiting: Batch[] = [];
  /** Being sent, or waiting to be sent again. */
  #current: Batch | undefined;
  #running: Promise<void> | undefined;
  #isDraining = false;
  /** Ends a wait between tries. */
  #hurry = new AbortController();
  readonly #closed = new AbortController();
  /** Failed tries since the last that did not. */
  #failures = 0;
  readonly #counts = {
    exported: 0,
    dropped: { queue_full: 0, rejected: 0, non_retryable: 0, shutdown: 0 },
    failures: new Map<string, number>(),
    problem: undefined as string | undefined,
    waitingRecords: 0,
    waitingBytes: 0,
  };

  constructor(name: string, options: LaneOptions) {
    this.#name = name;
    this.#options = options;
  }

  get counts(): ExportCounts {
    return this.#counts;
  }

  /** The number of the oldest batch that can be let go. */
  get oldest(): number | undefined {
    return this.#waiting[0]?.number;
  }

  /** Takes a request and the number of records in it. */
  put(gzipped: Uint8Array, records: number): void {
    const isClosed = this.#closed.signal.aborted;
    const batch = isClosed || !this.#makeRoom(records) ? undefined : this.#options.admit(gzipped, records);
    if (batch === undefined) {
      this.#drop(isClosed ? "shutdown" : "queue_full", records);
      return;
    }
    this.#counts.waitingBytes += batch.bytes;
    this.#counts.waitingRecords += batch.records;
    this.#waiting.push(batch);
    this.#running ??= this.#run();
  }

  /** Lets the oldest batch go, but for one that is on its way. */
  dropOldest(): void {
    const batch = this.#waiting.shift();
    if (batch === undefined) return;
    this.#giveUp(batch, "queue_full");
    this.#options.log.warn(`The queue of ${this.#name} is full: the oldest are dropped, and counted`);
  }

  /** Resolves when nothing waits: tries at once, and does not wait long between tries from now on. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#hurry.abort();
    await this.#running;
  }

  /** Gives up what still waits. */
  close(): void {
    this.#closed.abort();
    this.#hurry.abort();
    if (this.#current !== undefined) this.#giveUp(this.#current, "shutdown");
    this.#current = undefined;
    for (const batch of this.#waiting.splice(0)) this.#giveUp(batch, "shutdown");
  }

  #makeRoom(records: number): boolean {
    const { maxRecords } = this.#options;
    const hasRoom = () => this.#counts.waitingRecords + records <= maxRecords;
    while (!hasRoom() && this.#waiting.length > 0 && records <= maxRecords) this.dropOldest();
    return hasRoom();
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#current ??= this.#waiting.shift();
      const batch = this.#current;
      if (batch === undefined) break;
      const result = await this.#options.send(batch.gzipped, this.#closed.signal);
      // Given up meanwhile, and counted.
      if (this.#current !== batch) break;
      if (result.kind === "retry") await this.#waitAfter(result);
      else this.#settle(batch, result);
    }
    this.#running = undefined;
  }

  async #waitAfter(result: SendResult & { kind: "retry" }): Promise<void> {
    const { clock } = this.#options;
    this.#failed(result);
    const ms = backoffMs(this.#isDraining ? 1 : this.#failures, clock.random(), result.afterMs);
    await clock.sleep(ms, this.#hurry.signal);
    // It ends the wait that it was meant for, and no later one.
    if (this.#hurry.signal.aborted) this.#hurry = new AbortController();
  }

  #settle(batch: Batch, result: Exclude<SendResult, { kind: "retry" }>): void {
    this.#current = undefined;
    if (result.kind === "refused") {
      this.#failed(result);
      this.#giveUp(batch, "non_retryable");
      return;
    }
    this.#left(batch);
    // A server that cannot count rejects no more than it was given.
    const rejected = Math.min(Math.max(0, result.rejected), batch.records);
    this.#counts.exported += batch.records - rejected;
    this.#drop("rejected", rejected);
    if (this.#counts.problem !== undefined) this.#options.log.info(`Exporting ${this.#name} again`);
    this.#failures = 0;
    this.#counts.problem = undefined;
    if (result.message !== undefined) this.#options.log.warn(result.message);
  }

  #failed({ code, sentence }: Exclude<SendResult, { kind: "accepted" }>): void {
    const { failures, problem } = this.#counts;
    this.#failures++;
    failures.set(code, (failures.get(code) ?? 0) + 1);
    if (sentence !== problem) this.#options.log.warn(sentence);
    this.#counts.problem = sentence;
  }

  #giveUp(batch: Batch, reason: DropReason): void {
    this.#left(batch);
    this.#drop(reason, batch.records);
  }

  #left({ bytes, records }: Batch): void {
    this.#counts.waitingBytes -= bytes;
    this.#counts.waitingRecords -= records;
  }

  #drop(reason: DropReason, records: number): void {
    this.#counts.dropped[reason] += records;
  }
}
