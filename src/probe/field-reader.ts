import type { EventField, EventFormat } from "../tracefs/event-format.ts";

/** Reads one number of a record. */
export type NumberReader = (view: DataView, offset: number) => number;

/** Reads one 64-bit number of a record. */
export type BigReader = (view: DataView, offset: number) => bigint;

/** Finds the first of the names in a format. */
export function findField(format: EventFormat, names: readonly string[]): EventField | undefined {
  for (const name of names) {
    const field = format.fields.find((candidate) => candidate.name === name);
    if (field !== undefined) return field;
  }
  return undefined;
}

/**
 * Compiles a reader for a number of at most 32 bits, or of 64 bits of which 53 are kept; undefined where the format has no
 * such field, so that a record costs no call for it.
 */
export function numberReader(format: EventFormat, ...names: readonly string[]): NumberReader | undefined {
  const field = findField(format, names);
  if (field === undefined) return undefined;
  const at = field.offset;
  switch (field.size) {
    case 1:
      return (view, offset) => view.getUint8(offset + at);
    case 2:
      return (view, offset) => view.getUint16(offset + at, true);
    case 4:
      return field.signed
        ? (view, offset) => view.getInt32(offset + at, true)
        : (view, offset) => view.getUint32(offset + at, true);
    case 8:
      return (view, offset) =>
        (view.getUint32(offset + at + 4, true) & 0x1fffff) * 0x1_0000_0000 +
        view.getUint32(offset + at, true);
    default:
      return undefined;
  }
}

/** Compiles a reader for a whole 64-bit number. */
export function bigReader(format: EventFormat, name: string): BigReader | undefined {
  const field = findField(format, [name]);
  if (field?.size !== 8) return undefined;
  const at = field.offset;
  return (view, offset) => view.getBigUint64(offset + at, true);
}

/**
 * Compiles a check that a fetched pointer is one: kernel addresses have their upper bits set, and a cgroup
 * pointer of 5.5 to 5.14 whose low bits are set is a tag instead (`struct sock_cgroup_data`, include/linux/cgroup-defs.h).
 */
export function pointerCheck(format: EventFormat, name: string): (view: DataView, offset: number) => boolean {
  const field = findField(format, [name]);
  if (field?.size !== 8) return () => false;
  const at = field.offset;
  return (view, offset) =>
    view.getUint32(offset + at + 4, true) >>> 24 === 0xff && (view.getUint8(offset + at) & 7) === 0;
}

/** Bytes that a record must have so that every field of fixed place lies within it. */
export function recordSize(format: EventFormat): number {
  return format.fields.reduce((end, field) => Math.max(end, field.offset + field.size), 0);
}
