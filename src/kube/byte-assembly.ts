/** Puts a text together from pieces of chunks, up to a bound; multi-byte characters may lie across the borders. */
export class ByteAssembly {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes so far, those beyond the bound too. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds bytes without copying them; beyond the bound nothing is kept. */
  append(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) this.#parts = [];
    else this.#parts.push(part);
  }

  /** The text, and begins anew; undefined when it was larger than the bound. */
  take(): string | undefined {
    const [first, ...others] = this.#parts;
    const tooLarge = this.#bytes > this.#maxBytes;
    this.#parts = [];
    this.#bytes = 0;
    if (tooLarge) return undefined;
    if (first === undefined) return "";
    const whole = others.length === 0 ? first : Buffer.concat([first, ...others]);
    return Buffer.from(whole.buffer, whole.byteOffset, whole.length).toString("utf8");
  }
}
