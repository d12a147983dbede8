import { readFileSync, writeFileSync } from "node:fs";
import { BTF_KIND } from "../../src/btf/btf-kind.ts";
import { type BtfType, readArray, readIntEncoding, readMembers, readType } from "../../src/btf/btf-type.ts";
import { type Btf, parseBtf } from "../../src/btf/parse-btf.ts";
import { BtfWriter } from "./btf-writer.ts";

/** Copies the named structs and all they hold by value; what pointers point to becomes void. */
export function sliceBtf(btf: Btf, structNames: ReadonlySet<string>): Uint8Array {
  const writer = new BtfWriter();
  const copies = new Map<number, number>();
  for (const id of btf.structIds) if (structNames.has(nameOf(btf, readType(btf, id)))) copy(id);
  return writer.bytes();

  function copy(id: number): number {
    const known = id === 0 ? 0 : copies.get(id);
    if (known !== undefined) return known;
    const made = copyType(readType(btf, id));
    copies.set(id, made);
    return made;
  }

  function copyType(type: BtfType): number {
    const name = nameOf(btf, type);
    switch (type.kind) {
      case BTF_KIND.INT: {
        const { bits, bitOffset } = readIntEncoding(btf, type);
        return writer.int(name, type.sizeOrType, { bits, offset: bitOffset });
      }
      case BTF_KIND.ARRAY: {
        const { elementTypeId, count } = readArray(btf, type);
        return writer.array(copy(elementTypeId), count);
      }
      case BTF_KIND.STRUCT:
      case BTF_KIND.UNION: {
        const members = readMembers(btf, type).map((member) => ({
          name: stringAt(btf, member.nameOffset),
          type: copy(member.typeId),
          bits: member.bitOffset,
          ...(type.kindFlag ? { width: member.bitfieldWidth } : {}),
        }));
        return writer.struct(name, type.sizeOrType, members.toArray(), type.kind);
      }
      case BTF_KIND.ENUM:
      case BTF_KIND.ENUM64:
      case BTF_KIND.FLOAT:
        return writer.type(type.kind, name, type.sizeOrType);
      case BTF_KIND.PTR:
        return writer.pointer(0);
      default:
        return writer.type(type.kind, name, copy(type.sizeOrType));
    }
  }
}

function nameOf(btf: Btf, type: BtfType): string {
  return stringAt(btf, type.nameOffset);
}

function stringAt(btf: Btf, offset: number): string {
  const start = btf.stringsStart + offset;
  return new TextDecoder().decode(btf.bytes.subarray(start, btf.bytes.indexOf(0, start)));
}

// `node test/support/slice-btf.ts FROM TO STRUCT…` makes a fixture of a kernel's BTF.
if (import.meta.main) {
  const [from, to, ...names] = process.argv.slice(2);
  if (from === undefined || to === undefined) throw new TypeError("Usage: slice-btf.ts FROM TO STRUCT…");
  writeFileSync(to, sliceBtf(parseBtf(readFileSync(from)), new Set(names)));
}
