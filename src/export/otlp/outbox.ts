import type { ExportClock, ExportLog } from "./export-clock.ts";
import { type Batch, Lane } from "./lane.ts";
import type { Send } from "./send-result.ts";

/** What a batch takes beside its bytes: its object, its array's header, its place in the queue. */
const OVERHEAD_BYTES = 256;

export interface OutboxOptions {
  /** Bounds of all that waits, over all lanes. */
  readonly maxBytes: number;
  readonly maxRecords: number;
  readonly clock: ExportClock;
  readonly log: ExportLog;
}

/**
 * Requests that wait to be sent: in order and one at a time in each lane, again and again until they are taken, within
 * bounds over all lanes. When full it lets the oldest go that is not on its way.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lanes: Lane[] = [];
  #numbers = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Adds a lane, which may have a bound of its own; `name` is for what is said: `logs to http://collector:4317`. */
  lane(name: string, send: Send, maxRecords = Number.POSITIVE_INFINITY): Lane {
    const { clock, log } = this.#options;
    const admit = (gzipped: Uint8Array, records: number) => this.#admit(gzipped, records);
    const lane = new Lane(name, { send, maxRecords, admit, clock, log });
    this.#lanes.push(lane);
    return lane;
  }

  /** Sends what it can within this time, then counts the rest as dropped; nothing is taken afterwards. */
  async close(withinMs: number): Promise<void> {
    const enough = new AbortController();
    const emptied = Promise.all(this.#lanes.map((lane) => lane.drain()));
    await Promise.race([emptied, this.#options.clock.sleep(withinMs, enough.signal)]);
    enough.abort();
    for (const lane of this.#lanes) lane.close();
  }

  #admit(gzipped: Uint8Array, records: number): Batch | undefined {
    const { maxBytes, maxRecords } = this.#options;
    const bytes = gzipped.byteLength + OVERHEAD_BYTES;
    if (bytes > maxBytes || records > maxRecords) return undefined;
    while (!this.#hasRoom(bytes, records)) {
      const oldest = this.#laneOfOldest();
      if (oldest === undefined) return undefined;
      oldest.dropOldest();
    }
    return { gzipped, records, bytes, number: this.#numbers++ };
  }

  #hasRoom(bytes: number, records: number): boolean {
    let sumBytes = bytes;
    let sumRecords = records;
    for (const { counts } of this.#lanes) {
      sumBytes += counts.waitingBytes;
      sumRecords += counts.waitingRecords;
    }
    return sumBytes <= this.#options.maxBytes && sumRecords <= this.#options.maxRecords;
  }

  #laneOfOldest(): Lane | undefined {
    let found: Lane | undefined;
    for (const lane of this.#lanes) {
      if (lane.oldest === undefined) continue;
      if (found?.oldest === undefined || lane.oldest < found.oldest) found = lane;
    }
    return found;
  }
}
