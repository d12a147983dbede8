import { ByteReader } from "../bytes/byte-reader.ts";
import { BTF_KIND, BTF_TYPE_SIZE, btfTailSize } from "./btf-kind.ts";

/** A kernel's types, indexed but not inflated. Keeps the bytes it was parsed from. */
export interface Btf {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  /** Byte position of each type; type ids count from 1, so id n stands at n - 1. */
  readonly typeOffsets: Uint32Array;
  /** Ids of the structs and unions that have a name. */
  readonly structIds: Uint32Array;
  /** Their names' positions in the string section, in the same order. */
  readonly structNames: Uint32Array;
  /** Byte range of the string section. It begins and ends with a NUL. */
  readonly stringsStart: number;
  readonly stringsEnd: number;
}

const BTF_MAGIC = 0xeb9f;
const BTF_VERSION = 1;
/** `struct btf_header`. Later kernels append fields: `hdr_len` says how long it is. */
const BTF_HEADER_SIZE = 24;

/**
 * Indexes BTF as in /sys/kernel/btf/vmlinux (Documentation/bpf/btf.rst), of either byte order.
 * Throws a SyntaxError that says where the bytes stop making sense.
 */
export function parseBtf(bytes: Uint8Array): Btf {
  const littleEndian = isLittleEndian(bytes);
  const reader = new ByteReader(bytes, { littleEndian });
  const sections = readSections(reader);
  if (bytes[sections.stringsStart] !== 0 || bytes[sections.stringsEnd - 1] !== 0) {
    throw new SyntaxError("Cannot parse BTF: the string section does not begin and end with NUL");
  }
  const index = indexTypes({ bytes, littleEndian }, sections);
  const { stringsStart, stringsEnd } = sections;
  return { bytes, littleEndian, ...index, stringsStart, stringsEnd };
}

interface Sections {
  readonly typesStart: number;
  readonly typesEnd: number;
  readonly stringsStart: number;
  readonly stringsEnd: number;
}

function isLittleEndian(bytes: Uint8Array): boolean {
  if (bytes.length < BTF_HEADER_SIZE) {
    throw new SyntaxError(`Cannot parse BTF: ${bytes.length} bytes are less than a header`);
  }
  const magic = new ByteReader(bytes, { littleEndian: true }).u16();
  if (magic === BTF_MAGIC) return true;
  if (magic === 0x9feb) return false;
  throw new SyntaxError(`Cannot parse BTF: magic is 0x${magic.toString(16)}`);
}

function readSections(reader: ByteReader): Sections {
  const version = reader.seek(2).u8();
  if (version !== BTF_VERSION) throw new SyntaxError(`Cannot parse BTF: version is ${version}`);
  const headerLength = reader.seek(4).u32();
  if (headerLength < BTF_HEADER_SIZE) {
    throw new SyntaxError(`Cannot parse BTF: header length is ${headerLength}`);
  }
  const typesStart = headerLength + reader.u32();
  const typesEnd = typesStart + reader.u32();
  const stringsStart = headerLength + reader.u32();
  const stringsEnd = stringsStart + reader.u32();
  if (typesEnd > reader.length) {
    throw new SyntaxError(`Cannot parse BTF: types end at ${typesEnd} of ${reader.length} bytes`);
  }
  if (stringsEnd > reader.length || stringsEnd === stringsStart) {
    throw new SyntaxError(
      `Cannot parse BTF: strings stand at ${stringsStart} to ${stringsEnd} of ${reader.length} bytes`,
    );
  }
  return { typesStart, typesEnd, stringsStart, stringsEnd };
}

/**
 * One pass over `struct btf_type` and what follows each; every type then lies inside the section. A vmlinux has
 * 150,000: the loop calls nothing of ours, or the engine would load its best compiler (5 MB) for this one walk.
 */
function indexTypes(
  { bytes, littleEndian }: Pick<Btf, "bytes" | "littleEndian">,
  { typesStart, typesEnd }: Sections,
): Pick<Btf, "typeOffsets" | "structIds" | "structNames"> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { fixed, each } = tailSizes();
  const offsets = new Uint32Array(Math.floor((typesEnd - typesStart) / BTF_TYPE_SIZE));
  const structIds: number[] = [];
  const structNames: number[] = [];
  let count = 0;
  for (let at = typesStart; at < typesEnd; ) {
    if (at + BTF_TYPE_SIZE > typesEnd)
      throw new SyntaxError(`Cannot parse BTF: type ${count + 1} is cut off`);
    const nameOffset = view.getUint32(at, littleEndian);
    const info = view.getUint32(at + 4, littleEndian);
    const kind = (info >>> 24) & 0x7f; // btfInfoKind() and btfInfoVlen(), see above
    const tail = fixed[kind] ?? -1;
    if (tail < 0) throw new SyntaxError(`Cannot parse BTF: type ${count + 1} has unknown kind ${kind}`);
    offsets[count] = at;
    count += 1;
    at += BTF_TYPE_SIZE + tail + (info & 0xffffff) * (each[kind] ?? 0);
    if (at > typesEnd) throw new SyntaxError(`Cannot parse BTF: type ${count} is cut off`);
    if (nameOffset !== 0 && (kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION)) {
      structIds.push(count);
      structNames.push(nameOffset);
    }
  }
  return {
    typeOffsets: new Uint32Array(offsets.buffer.transfer(count * offsets.BYTES_PER_ELEMENT)), // what is over goes back
    structIds: Uint32Array.from(structIds),
    structNames: Uint32Array.from(structNames),
  };
}

/** btfTailSize() by kind: bytes that always follow, -1 for an unknown kind, and bytes for each of `vlen`. */
function tailSizes(): { readonly fixed: Int32Array; readonly each: Int32Array } {
  const [fixed, each] = [new Int32Array(128), new Int32Array(128)];
  for (let kind = 0; kind < 128; kind++) {
    const none = btfTailSize(kind, 0);
    fixed[kind] = none ?? -1;
    each[kind] = (btfTailSize(kind, 1) ?? 0) - (none ?? 0);
  }
  return { fixed, each };
}
