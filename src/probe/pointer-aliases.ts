import type { EventFormat } from "../tracefs/event-format.ts";

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

/** Compiles a scrubber for the records of one format. */
export function recordScrubber(format: EventFormat, aliases: PointerAliases): RecordScrubber {
  const at = (name: string) => format.fields.find((field) => field.name === name && field.size <= 8);
  const pointers = POINTER_FIELDS.map(at).filter((field) => field?.size === 8);
  const derived = DERIVED_FIELDS.map(([pointer, value]) => [at(pointer), at(value)] as const);
  return (view, offset, length) => {
    for (const [pointer, value] of derived) {
      if (pointer === undefined || value === undefined || value.offset + value.size > length) continue;
      if (view.getUint8(offset + pointer.offset + 7) === 0xff) continue;
      for (let i = 0; i < value.size; i++) view.setUint8(offset + value.offset + i, 0);
    }
    for (const field of pointers) {
      if (field === undefined || field.offset + 8 > length) continue;
      const place = offset + field.offset;
      view.setBigUint64(place, aliases.of(view.getBigUint64(place, true)), true);
    }
  };
}

/** Replaces the return addresses of a kernel_stack record (`int size` at 8, `unsigned long caller[]` at 16) in place. */
export function scrubStack(
  view: DataView,
  offset: number,
  length: number,
  alias: (address: bigint) => bigint,
): void {
  for (let place = 16; place + 8 <= length; place += 8) {
    view.setBigUint64(offset + place, alias(view.getBigUint64(offset + place, true)), true);
  }
}
