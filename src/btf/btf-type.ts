import { ByteReader } from "../bytes/byte-reader.ts";
import {
  BTF_KIND,
  BTF_MEMBER_SIZE,
  BTF_TYPE_SIZE,
  btfInfoKind,
  btfInfoKindFlag,
  btfInfoVlen,
} from "./btf-kind.ts";
import type { Btf } from "./parse-btf.ts";

/** One type, inflated: `struct btf_type` without its members. */
export interface BtfType {
  readonly id: number;
  /** One of BTF_KIND, or 0 for void. */
  readonly kind: number;
  readonly kindFlag: boolean;
  /** Members, enumerators or parameters, by kind. */
  readonly vlen: number;
  /** Position in the string section; 0 when it has no name. */
  readonly nameOffset: number;
  /** A size in bytes or a type id, by kind. */
  readonly sizeOrType: number;
}

/** One member of a struct or union. */
export interface BtfMember {
  readonly nameOffset: number;
  readonly typeId: number;
  /** From the start of the struct or union. */
  readonly bitOffset: number;
  /** Width in bits when it is a bitfield, else 0. */
  readonly bitfieldWidth: number;
}

/** Array of `count` elements. */
export interface BtfArray {
  readonly elementTypeId: number;
  readonly count: number;
}

/** Longest chain of typedefs, qualifiers or array dimensions followed; the kernel stops at 32 (MAX_RESOLVE_DEPTH). */
const MAX_RESOLVE_DEPTH = 32;
const VOID: BtfType = { id: 0, kind: 0, kindFlag: false, vlen: 0, nameOffset: 0, sizeOrType: 0 };
/** BTF says nothing of pointers' size; the kernels this reads for are 64-bit. */
const POINTER_SIZE = 8;

/** Inflates a type. Throws a SyntaxError for an id that does not exist. */
export function readType(btf: Btf, id: number): BtfType {
  if (id === 0) return VOID;
  const reader = readerAt(btf, typeOffset(btf, id));
  const nameOffset = reader.u32();
  const info = reader.u32();
  return {
    id,
    kind: btfInfoKind(info),
    kindFlag: btfInfoKindFlag(info),
    vlen: btfInfoVlen(info),
    nameOffset,
    sizeOrType: reader.u32(),
  };
}

/** The members of a struct or union; none for other kinds. */
export function* readMembers(btf: Btf, type: BtfType): Generator<BtfMember, void, void> {
  if (type.kind !== BTF_KIND.STRUCT && type.kind !== BTF_KIND.UNION) return;
  const reader = readerAt(btf, typeOffset(btf, type.id) + BTF_TYPE_SIZE);
  for (let index = 0; index < type.vlen; index += 1) {
    const member = reader.bytes(BTF_MEMBER_SIZE);
    const fields = new ByteReader(member, btf);
    const nameOffset = fields.u32();
    const typeId = fields.u32();
    const offset = fields.u32();
    yield type.kindFlag
      ? { nameOffset, typeId, bitOffset: offset & 0xffffff, bitfieldWidth: offset >>> 24 }
      : { nameOffset, typeId, bitOffset: offset, bitfieldWidth: 0 };
  }
}

/** `struct btf_array` of a type of kind ARRAY. */
export function readArray(btf: Btf, type: BtfType): BtfArray {
  const reader = readerAt(btf, typeOffset(btf, type.id) + BTF_TYPE_SIZE);
  const elementTypeId = reader.u32();
  return { elementTypeId, count: reader.skip(4).u32() };
}

/** The u32 after a type of kind INT: bits 0-7 width, 16-23 offset, both in bits (BTF_INT_BITS, BTF_INT_OFFSET). */
export function readIntEncoding(
  btf: Btf,
  type: BtfType,
): { readonly bits: number; readonly bitOffset: number } {
  const encoding = readerAt(btf, typeOffset(btf, type.id) + BTF_TYPE_SIZE).u32();
  return { bits: encoding & 0xff, bitOffset: (encoding >>> 16) & 0xff };
}

/** The type behind typedefs, qualifiers and type tags. Throws a SyntaxError when they form a loop. */
export function stripType(btf: Btf, id: number): BtfType {
  let type = readType(btf, id);
  for (let depth = 0; isModifier(type.kind); depth += 1) {
    if (depth === MAX_RESOLVE_DEPTH)
      throw new SyntaxError(`Cannot resolve BTF type ${id}: its typedefs do not end`);
    type = readType(btf, type.sizeOrType);
  }
  return type;
}

/** Bytes that a value of this type takes; 0 for void, functions and types only declared. */
export function sizeOfType(btf: Btf, id: number): number {
  let count = 1;
  let type = stripType(btf, id);
  for (let depth = 0; type.kind === BTF_KIND.ARRAY; depth += 1) {
    if (depth === MAX_RESOLVE_DEPTH)
      throw new SyntaxError(`Cannot size BTF type ${id}: its array does not end`);
    const array = readArray(btf, type);
    count *= array.count;
    type = stripType(btf, array.elementTypeId);
  }
  switch (type.kind) {
    case BTF_KIND.PTR:
      return count * POINTER_SIZE;
    case BTF_KIND.INT:
    case BTF_KIND.STRUCT:
    case BTF_KIND.UNION:
    case BTF_KIND.ENUM:
    case BTF_KIND.ENUM64:
    case BTF_KIND.FLOAT:
      return count * type.sizeOrType;
    default:
      return 0;
  }
}

/** Whether the name at this position of the string section is `name`, given as UTF-8. */
export function nameEquals(btf: Btf, nameOffset: number, name: Uint8Array): boolean {
  const start = btf.stringsStart + nameOffset;
  const end = start + name.length;
  // The section ends with NUL, so a name that fits has its own NUL inside.
  if (end >= btf.stringsEnd || btf.bytes[end] !== 0) return false;
  for (let index = 0; index < name.length; index += 1) {
    if (btf.bytes[start + index] !== name[index]) return false;
  }
  return true;
}

function typeOffset(btf: Btf, id: number): number {
  const offset = btf.typeOffsets[id - 1];
  if (offset === undefined) {
    throw new SyntaxError(`Cannot read BTF type ${id}: there are ${btf.typeOffsets.length}`);
  }
  return offset;
}

function readerAt(btf: Btf, offset: number): ByteReader {
  return new ByteReader(btf.bytes, btf).seek(offset);
}

function isModifier(kind: number): boolean {
  return (
    kind === BTF_KIND.TYPEDEF ||
    kind === BTF_KIND.CONST ||
    kind === BTF_KIND.VOLATILE ||
    kind === BTF_KIND.RESTRICT ||
    kind === BTF_KIND.TYPE_TAG
  );
}
