import { BTF_KIND } from "../../src/btf/btf-kind.ts";

export interface BtfWriterOptions {
  /** Default true. */
  readonly littleEndian?: boolean;
  /** Header length; bytes beyond 24 are zeroes, as a later kernel's fields could be. */
  readonly headerLength?: number;
}

export interface BtfWriterMember {
  /** Empty for an anonymous member. */
  readonly name: string;
  readonly type: number;
  /** From the start of the struct, in bits. */
  readonly bits: number;
  /** Width of a bitfield: gives the struct its kind_flag. */
  readonly width?: number;
}

/** Builds a BTF blob; each method gives the new type's id. */
export class BtfWriter {
  readonly #littleEndian: boolean;
  readonly #headerLength: number;
  readonly #types: number[] = [];
  readonly #strings: number[] = [0];
  readonly #stringOffsets = new Map<string, number>([["", 0]]);
  #count = 0;

  constructor(options: BtfWriterOptions = {}) {
    this.#littleEndian = options.littleEndian ?? true;
    this.#headerLength = options.headerLength ?? 24;
  }

  /** `bits` narrower than the size, or an offset, makes a bitfield of the old kind. */
  int(name: string, size: number, encoding: { bits?: number; offset?: number } = {}): number {
    const { bits = size * 8, offset = 0 } = encoding;
    return this.type(BTF_KIND.INT, name, size, { tail: [(offset << 16) | bits] });
  }

  pointer(type: number): number {
    return this.type(BTF_KIND.PTR, "", type);
  }

  array(element: number, count: number): number {
    return this.type(BTF_KIND.ARRAY, "", 0, { tail: [element, 0, count] });
  }

  struct(
    name: string,
    size: number,
    members: readonly BtfWriterMember[],
    kind: number = BTF_KIND.STRUCT,
  ): number {
    const kindFlag = members.some((member) => member.width !== undefined);
    const tail = members.flatMap(({ name, type, bits, width = 0 }) => [
      this.#string(name),
      type,
      kindFlag ? bits + width * 2 ** 24 : bits,
    ]);
    return this.type(kind, name, size, { vlen: members.length, kindFlag, tail });
  }

  union(name: string, size: number, members: readonly BtfWriterMember[]): number {
    return this.struct(name, size, members, BTF_KIND.UNION);
  }

  /** Any kind: `struct btf_type` and the words after it. */
  type(
    kind: number,
    name: string,
    sizeOrType: number,
    rest: { vlen?: number; kindFlag?: boolean; tail?: readonly number[] } = {},
  ): number {
    const { vlen = 0, kindFlag = false, tail = [] } = rest;
    const info = ((kindFlag ? 2 ** 31 : 0) | (kind << 24) | vlen) >>> 0;
    this.#types.push(this.#string(name), info, sizeOrType);
    for (const word of tail) this.#types.push(word);
    this.#count += 1;
    return this.#count;
  }

  bytes(): Uint8Array {
    const typesLength = this.#types.length * 4;
    const blob = new Uint8Array(this.#headerLength + typesLength + this.#strings.length);
    const view = new DataView(blob.buffer);
    view.setUint16(0, 0xeb9f, this.#littleEndian);
    view.setUint8(2, 1);
    const header = [this.#headerLength, 0, typesLength, typesLength, this.#strings.length];
    for (const [index, word] of header.entries()) view.setUint32(4 + index * 4, word, this.#littleEndian);
    for (const [index, word] of this.#types.entries()) {
      view.setUint32(this.#headerLength + index * 4, word, this.#littleEndian);
    }
    blob.set(this.#strings, this.#headerLength + typesLength);
    return blob;
  }

  #string(text: string): number {
    const known = this.#stringOffsets.get(text);
    if (known !== undefined) return known;
    const offset = this.#strings.length;
    this.#strings.push(...new TextEncoder().encode(text), 0);
    this.#stringOffsets.set(text, offset);
    return offset;
  }
}
