import type { PageLayout } from "../../src/ring-buffer/page-layout.ts";
import type { PageEpoch } from "../../src/ring-buffer/read-page.ts";

/** A page of 4 KiB on a 64-bit kernel. */
export const LAYOUT_4K: PageLayout = {
  commitOffset: 8,
  commitSize: 8,
  dataOffset: 16,
  dataSize: 4080,
  pageSize: 4096,
};

export interface PageWriterOptions {
  /** Nanoseconds from the epoch to the page's own time. */
  readonly time?: number | bigint;
  /** Default zero. */
  readonly epoch?: PageEpoch;
  /** Default 4 KiB, 64-bit. */
  readonly layout?: PageLayout;
  /** Records lost before this page; "unknown" sets the flag without a count. */
  readonly missed?: number | "unknown";
  /** Overrides the committed length that the header tells. */
  readonly commit?: number;
}

/** Builds a little-endian ring-buffer page as the kernel would: `pageWriter().record(10, payload).bytes()`. */
export function pageWriter(options: PageWriterOptions = {}): PageWriter {
  return new PageWriter(options);
}

/** A u64 of the trace clock as the two u32 that `readPage()` takes. */
export function pageEpoch(value: bigint): PageEpoch {
  return { hi: Number(value >> 32n), lo: Number(value & 0xffffffffn) };
}

const MAX_DELTA = 2 ** 27;

export class PageWriter {
  readonly #options: PageWriterOptions;
  readonly #layout: PageLayout;
  readonly #content: number[] = [];

  constructor(options: PageWriterOptions) {
    this.#options = options;
    this.#layout = options.layout ?? LAYOUT_4K;
  }

  /** Bytes of data so far: what `commit` will tell. */
  get length(): number {
    return this.#content.length;
  }

  /**
   * A data record `delta` ns after the one before: a time extend before it when the delta needs more than 27 bits,
   * a length word when the payload is longer than 112 bytes, zeroes up to a multiple of 4, as the kernel does.
   */
  record(delta: number, payload: Uint8Array): this {
    let rest = delta;
    if (delta >= MAX_DELTA) {
      this.timeExtend(delta);
      rest = 0;
    }
    const length = Math.ceil(payload.length / 4) * 4;
    return length === 0 || length > 112
      ? this.longRecord(rest, payload)
      : this.#head(length / 4, rest).raw(pad(payload));
  }

  /** A data record of type 0, with a length word, whatever its length. */
  longRecord(delta: number, payload: Uint8Array): this {
    const padded = pad(payload);
    return this.#head(0, delta)
      .u32(padded.length + 4)
      .raw(padded);
  }

  /** TIME_EXTEND: moves the time on by any number of ns below 2^53. */
  timeExtend(delta: number): this {
    return this.#head(30, delta % MAX_DELTA).u32(Math.floor(delta / MAX_DELTA));
  }

  /** TIME_STAMP: the lowest 59 bits of an absolute trace clock value. */
  timeStamp(value: bigint): this {
    const bits = value & ((1n << 59n) - 1n);
    return this.#head(31, Number(bits & 0x7ffffffn)).u32(Number(bits >> 27n));
  }

  /** A discarded record of `size` payload bytes; the delta may not be 0. */
  padding(delta: number, size: number): this {
    if (delta === 0) throw new RangeError("Cannot write padding: delta 0 means no length");
    return this.#head(29, delta)
      .u32(size + 4)
      .raw(new Uint8Array(size));
  }

  /** Padding without a length, which the kernel writes only beyond the committed bytes. */
  nullPadding(): this {
    return this.#head(29, 0);
  }

  /** Any word, such as a header on its own. */
  u32(value: number): this {
    for (let shift = 0; shift < 32; shift += 8) this.#content.push((value >>> shift) & 0xff);
    return this;
  }

  /** Any bytes. */
  raw(bytes: Uint8Array): this {
    for (const byte of bytes) this.#content.push(byte);
    return this;
  }

  /** The whole page, zeroes after the data. */
  bytes(): Uint8Array {
    const { commitOffset, commitSize, dataOffset, pageSize } = this.#layout;
    const { time = 0, epoch = { hi: 0, lo: 0 }, missed = 0 } = this.#options;
    const page = new Uint8Array(pageSize);
    const view = new DataView(page.buffer);
    page.set(this.#content, dataOffset);
    view.setBigUint64(0, (BigInt(epoch.hi) << 32n) + BigInt(epoch.lo) + BigInt(time), true);
    const commit = this.#options.commit ?? this.#content.length;
    const flags =
      (missed === 0 ? 0 : 0x80000000) + (typeof missed === "number" && missed > 0 ? 0x40000000 : 0);
    view.setUint32(commitOffset, commit + flags, true);
    // RB_MISSED_EVENTS is a negative int: added to a long, it fills the upper half with ones.
    if (flags !== 0 && commitSize === 8) view.setUint32(commitOffset + 4, 0xffffffff, true);
    if (typeof missed === "number" && missed > 0) {
      if (commitSize === 8) view.setBigUint64(dataOffset + commit, BigInt(missed), true);
      else view.setUint32(dataOffset + commit, missed, true);
    }
    return page;
  }

  #head(type: number, delta: number): this {
    return this.u32(((delta << 5) | type) >>> 0);
  }
}

function pad(payload: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(payload.length / 4) * 4);
  padded.set(payload);
  return padded;
}
