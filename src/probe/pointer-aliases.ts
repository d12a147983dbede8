import { AF_INET, AF_INET6 } from "../event/kernel-tcp.ts";
import type { EventFormat } from "../tracefs/event-format.ts";
import { findField, numberReader, pointerCheck, recordSize } from "./field-reader.ts";

/** Fields of our records that hold kernel addresses: fetched pointers and the probes' own places. */
const POINTER_FIELDS = [
  "sk",
  "req",
  "net",
  "cgp",
  "skaddr",
  "skbaddr",
  "__probe_ip",
  "__probe_func",
  "__probe_ret_ip",
];
/** A value that is only valid beside its pointer: else it may be anything that was in the buffer before. */
const DERIVED_FIELDS: readonly (readonly [pointer: string, value: string])[] = [
  ["net", "ns"],
  ["cgp", "cg"],
];
/** The addresses of the family that the socket is not of: a request socket's are not even zeroed (reqsk_alloc). */
const V4_FIELDS = ["s4", "d4", "saddr", "daddr"];
const V6_FIELDS = ["s6", "d6", "saddr_v6", "daddr_v6"];
/** `struct trace_entry` (include/linux/trace_events.h). */
const COMMON_BYTES = 8;

/**
 * Stands in for kernel addresses where bytes leave the process: equal addresses get equal aliases, which still look like
 * kernel addresses and keep the low three bits (tags), and tell nothing about where the kernel or its objects are.
 */
export class PointerAliases {
  readonly #aliases = new Map<bigint, bigint>();

  /** The alias of an address; a value that is no kernel address is kept. */
  of(address: bigint): bigint {
    if (address >> 56n !== 0xffn) return address;
    const known = this.#aliases.get(address);
    if (known !== undefined) return known;
    const alias = 0xffff_8000_0000_0000n + (BigInt(this.#aliases.size) << 6n) + (address & 7n);
    this.#aliases.set(address, alias);
    return alias;
  }
}

/** Replaces the addresses of one record in place; `offset` is where its payload lies in the view. */
export type RecordScrubber = (view: DataView, offset: number, length: number) => void;

/**
 * Compiles a scrubber for the records of one format. What decoding does not read, or not believe, may be memory that was
 * never written for this record, and so hold an address too: it becomes zero.
 */
export function recordScrubber(format: EventFormat, aliases: PointerAliases): RecordScrubber {
  const all = (names: readonly string[]) => names.map((name) => findField(format, [name]));
  const pointers = all(POINTER_FIELDS).filter((field) => field?.size === 8);
  const derived = DERIVED_FIELDS.map(([pointer, value]) => ({
    valid: pointerCheck(format, pointer),
    value: findField(format, [value]),
  }));
  const family = numberReader(format, "fam", "family");
  const unused = new Map([
    [AF_INET, all(V6_FIELDS)],
    [AF_INET6, all(V4_FIELDS)],
  ]);
  const gaps = bytesOfNoField(format);
  const size = recordSize(format);
  return (view, offset, length) => {
    if (length < size) return scrubUnknown(view, offset, length);
    for (const { valid, value } of derived) if (!valid(view, offset)) clear(view, offset, value);
    for (const field of unused.get(family?.(view, offset) ?? 0) ?? []) clear(view, offset, field);
    for (const gap of gaps) view.setUint8(offset + gap, 0);
    clear(view, offset, { offset: size, size: length - size });
    for (const field of pointers) {
      if (field === undefined) continue;
      const place = offset + field.offset;
      view.setBigUint64(place, aliases.of(view.getBigUint64(place, true)), true);
    }
  };
}

/** Leaves only the common header of a record whose format is not known. */
export function scrubUnknown(view: DataView, offset: number, length: number): void {
  clear(view, offset, { offset: COMMON_BYTES, size: length - COMMON_BYTES });
}

/** Replaces the return addresses of a kernel_stack record (`int size` at 8, `unsigned long caller[]` at 16) in place. */
export function scrubStack(
  view: DataView,
  offset: number,
  length: number,
  alias: (address: bigint) => bigint,
): void {
  clear(view, offset, { offset: 12, size: Math.min(length, 16) - 12 });
  for (let place = 16; place + 8 <= length; place += 8) {
    view.setBigUint64(offset + place, alias(view.getBigUint64(offset + place, true)), true);
  }
}

function bytesOfNoField(format: EventFormat): readonly number[] {
  const gaps: number[] = [];
  for (let at = COMMON_BYTES; at < recordSize(format); at++) {
    if (!format.fields.some(({ offset, size }) => offset <= at && at < offset + size)) gaps.push(at);
  }
  return gaps;
}

function clear(
  view: DataView,
  base: number,
  place: { readonly offset: number; readonly size: number } | undefined,
) {
  if (place === undefined) return;
  for (let i = 0; i < place.size; i++) view.setUint8(base + place.offset + i, 0);
}
