import { gzipSync } from "node:zlib";
import type { ExportClock } from "./export-clock.ts";

/** Longest request: the Collector takes 4 MiB after decompression, and refuses what is longer. */
const MAX_REQUEST_BYTES = 3 * 1024 * 1024;

export interface BatcherOptions<T> {
  /** A batch is made of this many at the latest. */
  readonly maxItems: number;
  /** Or this long after its first. */
  readonly delayMs: number;
  readonly encode: (items: readonly T[]) => Uint8Array;
  /** Takes a request and the number of items in it. */
  readonly put: (gzipped: Uint8Array, items: number) => void;
  readonly clock: ExportClock;
}

/** Gathers records or spans into requests: encoded, of bounded length, compressed. */
export class Batcher<T> {
  readonly #options: BatcherOptions<T>;
  #items: T[] = [];
  #timer: AbortController | undefined;

  constructor(options: BatcherOptions<T>) {
    this.#options = options;
  }

  /** Those that no request has been made of. */
  get length(): number {
    return this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length >= this.#options.maxItems) this.flush();
    else this.#timer ??= this.#flushLater();
  }

  /** Makes a request of what there is. */
  flush(): void {
    this.#timer?.abort();
    this.#timer = undefined;
    const items = this.#items;
    this.#items = [];
    if (items.length > 0) this.#putAll(items);
  }

  #flushLater(): AbortController {
    const timer = new AbortController();
    const { clock, delayMs } = this.#options;
    void clock.sleep(delayMs, timer.signal).then(() => {
      if (!timer.signal.aborted) this.flush();
    });
    return timer;
  }

  #putAll(items: readonly T[]): void {
    const { encode, put } = this.#options;
    const bytes = encode(items);
    if (bytes.byteLength > MAX_REQUEST_BYTES && items.length > 1) {
      const half = items.length >> 1;
      this.#putAll(items.slice(0, half));
      this.#putAll(items.slice(half));
      return;
    }
    // zlib gives a view on 16 KiB; a copy holds no more than it is counted for.
    put(new Uint8Array(gzipSync(bytes, { level: 1 })), items.length);
  }
}
