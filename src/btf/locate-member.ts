import { BTF_KIND } from "./btf-kind.ts";
import {
  type BtfMember,
  type BtfType,
  nameEquals,
  readIntEncoding,
  readMembers,
  readType,
  sizeOfType,
  stripType,
} from "./btf-type.ts";
import type { Btf } from "./parse-btf.ts";

/** Where a member lies in its struct. */
export interface MemberLocation {
  /** Bytes from the start of the struct. */
  readonly offset: number;
  /** Bytes to read at `offset`: the member's type, or for a bitfield the aligned 1, 2, 4 or 8 that hold it. */
  readonly size: number;
  /** Present when the member is less than those bytes: take `width` bits above the lowest `shift`. */
  readonly bitfield?: Bitfield;
}

/** Bits of a number read in the kernel's byte order, counted from its least significant one. */
export interface Bitfield {
  readonly shift: number;
  readonly width: number;
}

/**
 * Finds a member by a dotted path that stays inside one struct, such as `sk_cgrp_data.cgroup` of `sock`.
 * Members of anonymous structs and unions count as the outer's own. Where several structs have the name,
 * the first that has the member is taken; undefined when none has. Throws a SyntaxError when the BTF is corrupt.
 */
export function locateMember(btf: Btf, structName: string, path: string): MemberLocation | undefined {
  const encoder = new TextEncoder();
  const steps = path.split(".").map((step) => encoder.encode(step));
  for (const id of structsNamed(btf, structName)) {
    const member = findPath(btf, readType(btf, id), steps);
    if (member !== undefined) return location(btf, member);
  }
  return undefined;
}

/** Ids of the structs and unions of a name, lowest first. The search is the engine's own: BTF has 10,000 of them. */
function structsNamed(btf: Btf, name: string): readonly number[] {
  const { bytes, stringsStart, stringsEnd, structNames, structIds } = btf;
  const strings = Buffer.from(bytes.buffer, bytes.byteOffset + stringsStart, stringsEnd - stringsStart);
  const found: number[] = [];
  for (let at = strings.indexOf(`${name}\0`); at >= 0; at = strings.indexOf(`${name}\0`, at + 1)) {
    for (let index = structNames.indexOf(at); index >= 0; index = structNames.indexOf(at, index + 1)) {
      found.push(structIds[index] ?? 0);
    }
  }
  return found.sort((a, b) => a - b);
}

function findPath(btf: Btf, struct: BtfType, steps: readonly Uint8Array[]): BtfMember | undefined {
  let type = struct;
  let bitOffset = 0;
  let member: BtfMember | undefined;
  for (const step of steps) {
    member = findMember(btf, type, step);
    if (member === undefined) return undefined;
    bitOffset += member.bitOffset;
    type = stripType(btf, member.typeId);
  }
  return member && { ...member, bitOffset };
}

/** Looks through anonymous members too. A list instead of recursion: corrupt types may contain themselves. */
function findMember(btf: Btf, struct: BtfType, name: Uint8Array): BtfMember | undefined {
  if (name.length === 0) return undefined;
  const pending = [{ type: struct, bitOffset: 0 }];
  const seen = new Set<number>();
  for (const { type, bitOffset } of pending) {
    if (seen.has(type.id)) continue;
    seen.add(type.id);
    for (const member of readMembers(btf, type)) {
      const memberOffset = bitOffset + member.bitOffset;
      if (nameEquals(btf, member.nameOffset, name)) return { ...member, bitOffset: memberOffset };
      if (member.nameOffset !== 0 || member.bitfieldWidth !== 0) continue;
      pending.push({ type: stripType(btf, member.typeId), bitOffset: memberOffset });
    }
  }
  return undefined;
}

function location(btf: Btf, member: BtfMember): MemberLocation {
  if (member.bitfieldWidth !== 0) return bitfieldLocation(btf, member.bitOffset, member.bitfieldWidth);
  const type = stripType(btf, member.typeId);
  const size = sizeOfType(btf, type.id);
  if (type.kind === BTF_KIND.INT) {
    // Without kind_flag (pahole before 1.13) a bitfield is a member of an INT narrower than its size.
    const { bits, bitOffset } = readIntEncoding(btf, type);
    const start = member.bitOffset + bitOffset;
    if (bits !== size * 8 || start % 8 !== 0) return bitfieldLocation(btf, start, bits);
  }
  return { offset: Math.floor(member.bitOffset / 8), size };
}

/** The smallest aligned unit that holds the bits: never more than what the field was declared in. */
function bitfieldLocation(btf: Btf, bitOffset: number, width: number): MemberLocation {
  for (const size of [1, 2, 4, 8]) {
    const unit = size * 8;
    const start = bitOffset % unit;
    if (start + width > unit) continue;
    // Big-endian kernels number bits from the most significant one.
    const shift = btf.littleEndian ? start : unit - start - width;
    return { offset: (bitOffset - start) / 8, size, bitfield: { shift, width } };
  }
  throw new SyntaxError(
    `Cannot locate a BTF bitfield of ${width} bits at bit ${bitOffset}: it crosses 8 bytes`,
  );
}
