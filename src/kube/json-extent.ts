const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** Whether a byte is white space of JSON (RFC 8259 §2). */
export function isJsonSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Finds where one JSON value ends, over any number of chunks; it counts brackets and knows strings, nothing more. */
export class JsonExtent {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #over = false;

  /** Whether the value has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Begins a new value. */
  reset(): void {
    this.#depth = 0;
    this.#inString = this.#escaped = this.#over = false;
  }

  /** Where the value's bytes in this chunk end, from `start`, where it begins or goes on. */
  scan(bytes: Uint8Array, start: number): number {
    const last = bytes.length;
    let at = start;
    let depth = this.#depth;
    let inString = this.#inString;
    if (this.#escaped) at++;
    this.#escaped = false;
    while (at < last) {
      const byte = bytes[at];
      if (inString) {
        at++;
        if (byte === BACKSLASH) {
          if (at === last) this.#escaped = true;
          else at++;
        } else if (byte === QUOTE) {
          inString = false;
          if (depth === 0) this.#over = true;
        }
      } else if (byte === QUOTE) {
        inString = true;
        at++;
      } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        depth++;
        at++;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        // A number or a word ends where what holds it does, and that bracket is not its own.
        if (depth > 0) at++;
        if (depth <= 1) this.#over = true;
        depth--;
      } else if (depth === 0 && (byte === COMMA || isJsonSpace(byte))) this.#over = true;
      else at++;
      if (this.#over) break;
    }
    this.#depth = depth;
    this.#inString = inString;
    return at;
  }
}
