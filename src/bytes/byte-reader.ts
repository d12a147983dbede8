/** How a `ByteReader` reads numbers. */
export interface ByteReaderOptions {
  readonly littleEndian: boolean;
}

/**
 * A bounds-checked cursor over bytes. A read that would pass the end throws a RangeError and moves nothing.
 * For everything off the hot path; pages are walked by `readPage()`.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  #offset = 0;

  constructor(bytes: Uint8Array, options: ByteReaderOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = options.littleEndian;
  }

  /** Position of the next read, in bytes from the start. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes in all. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Bytes between the position and the end. */
  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Moves to an absolute position; the end itself is allowed. Throws a RangeError beyond it. */
  seek(offset: number): this {
    if (!Number.isInteger(offset) || offset < 0 || offset > this.#bytes.length) {
      throw new RangeError(`Cannot seek to byte ${offset}: there are ${this.#bytes.length}`);
    }
    this.#offset = offset;
    return this;
  }

  /** Moves forward without reading. */
  skip(count: number): this {
    this.#advance(count);
    return this;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), this.#littleEndian);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), this.#littleEndian);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), this.#littleEndian);
  }

  /** The next bytes as a view on the same memory, not a copy. */
  bytes(count: number): Uint8Array {
    const start = this.#advance(count);
    return this.#bytes.subarray(start, start + count);
  }

  #advance(count: number): number {
    const start = this.#offset;
    if (!Number.isInteger(count) || count < 0 || count > this.#bytes.length - start) {
      throw new RangeError(`Cannot read ${count} bytes at byte ${start}: there are ${this.#bytes.length}`);
    }
    this.#offset = start + count;
    return start;
  }
}
