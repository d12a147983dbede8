/** Wire types of protobuf. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Texts up to this length are written character by character: most are short, and a call of Node's is dearer. */
const SHORT = 64;
/** A character takes up to 3 bytes of UTF-8; a pair of them takes 4. */
const MAX_CHARACTER_BYTES = 3;

/** Writes protobuf messages into one buffer that grows. */
export class ProtobufWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(size = 1024) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  /** What was written; good until it is written to again. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Begins a field that is a message; `end` is given what this gives. */
  begin(field: number): number {
    this.#tag(field, WIRE.bytes);
    return this.#at++;
  }

  /** Ends a message: its length stands in the one byte that was left for it, or what was written moves for more. */
  end(start: number): void {
    const from = start + 1;
    const length = this.#at - from;
    if (length >= 128) {
      const more = varintLength(length) - 1;
      this.#reserve(more);
      this.#bytes.copyWithin(from + more, from, this.#at);
      this.#at += more;
    }
    this.#varintAt(start, length);
  }

  text(field: number, text: string): void {
    this.#tag(field, WIRE.bytes);
    this.#reserve(text.length * MAX_CHARACTER_BYTES + 5);
    const start = this.#at++;
    this.#at += this.#utf8(text);
    this.end(start);
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#tag(field, WIRE.bytes);
    this.#reserve(bytes.length + 5);
    this.#at = this.#varintAt(this.#at, bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A whole number of 64 bits at most; one below zero takes 10 bytes, as in all of protobuf. */
  varint(field: number, value: number): void {
    this.#tag(field, WIRE.varint);
    this.#reserve(10);
    if (value >= 0) this.#at = this.#varintAt(this.#at, value);
    else this.#negative(value);
  }

  double(field: number, value: number): void {
    this.#tag(field, WIRE.fixed64);
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, WIRE.fixed64);
    this.#reserve(8);
    this.#at = this.#bytes.writeBigUInt64LE(value, this.#at);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, WIRE.fixed32);
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  /** Fields up to 15, which have one byte. */
  #tag(field: number, wire: number): void {
    this.#reserve(2);
    this.#bytes[this.#at++] = field * 8 + wire;
  }

  /** Writes text where the room for it is, and gives its length in bytes. */
  #utf8(text: string): number {
    const bytes = this.#bytes;
    const at = this.#at;
    const { length } = text;
    if (length > SHORT) return bytes.write(text, at, "utf8");
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 127) return bytes.write(text, at, "utf8");
      bytes[at + index] = code;
    }
    return length;
  }

  #varintAt(at: number, value: number): number {
    const bytes = this.#bytes;
    let rest = value;
    let next = at;
    for (; rest > 127; rest = Math.floor(rest / 128)) bytes[next++] = (rest % 128) + 128;
    bytes[next++] = rest;
    return next;
  }

  #negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 127n) + 128;
    this.#bytes[this.#at++] = Number(rest);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++;
  return length;
}
