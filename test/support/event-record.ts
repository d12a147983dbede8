import { type EventFormat, parseEventFormat } from "../../src/tracefs/event-format.ts";

/** The value of a field: a number of its size, or its bytes. */
export type FieldValue = number | bigint | Uint8Array | readonly number[];

/**
 * The payload of one record of a format: `common_type` and the named fields, the rest filled with `stale`, as memory
 * that the kernel reserved and did not write.
 */
export function eventRecord(
  format: EventFormat,
  values: Readonly<Record<string, FieldValue>>,
  { stale = 0 }: { readonly stale?: number } = {},
): Uint8Array {
  const size = format.fields.reduce((end, field) => Math.max(end, field.offset + field.size), 0);
  const bytes = new Uint8Array(size).fill(stale);
  put(bytes, format, "common_type", format.id);
  put(bytes, format, "common_pid", 0);
  for (const [name, value] of Object.entries(values)) put(bytes, format, name, value);
  return bytes;
}

/** A format file of a probe, from its fields as `NAME:BYTES[s]` after the common header; `s` marks a signed one. */
export function probeFormat(name: string, id: number, fields: readonly string[]): EventFormat {
  let offset = 16;
  const lines = fields.map((field) => {
    const [fieldName, size = "8"] = field.split(":");
    const bytes = Number.parseInt(size, 10);
    const line = formatLine(`u8 ${fieldName}`, offset, { bytes, signed: size.endsWith("s") });
    offset += bytes;
    return line;
  });
  return parseEventFormat(`name: ${name}\nID: ${id}\nformat:\n${COMMON}\n${lines.join("")}\nprint fmt: ""\n`);
}

interface StackOptions {
  /** Entries that it says to have. */
  readonly size?: number;
  /** `common_flags` and `common_pid`. */
  readonly flags?: number;
  readonly pid?: number;
}

/** A kernel_stack record of some addresses; `size` is what its first field says. */
export function stackRecord(
  format: EventFormat,
  stack: readonly bigint[],
  { size = stack.length, flags = 0, pid = 0 }: StackOptions = {},
): Uint8Array {
  const bytes = new Uint8Array(16 + 8 * stack.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, format.id, true);
  view.setUint8(2, flags);
  view.setInt32(4, pid, true);
  view.setInt32(8, size, true);
  for (const [i, address] of stack.entries()) view.setBigUint64(16 + 8 * i, address, true);
  return bytes;
}

function formatLine(
  declaration: string,
  offset: number,
  { bytes, signed }: { bytes: number; signed: boolean },
) {
  return `\tfield:${declaration};\toffset:${offset};\tsize:${bytes};\tsigned:${signed ? 1 : 0};\n`;
}

const COMMON = [
  formatLine("unsigned short common_type", 0, { bytes: 2, signed: false }),
  formatLine("unsigned char common_flags", 2, { bytes: 1, signed: false }),
  formatLine("unsigned char common_preempt_count", 3, { bytes: 1, signed: false }),
  formatLine("int common_pid", 4, { bytes: 4, signed: true }),
].join("");

function put(bytes: Uint8Array, format: EventFormat, name: string, value: FieldValue): void {
  const field = format.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new TypeError(`Cannot write field "${name}": ${format.name} has none`);
  if (typeof value === "object") {
    bytes.set(value, field.offset);
    return;
  }
  let rest = BigInt.asUintN(8 * field.size, BigInt(value));
  for (let i = 0; i < field.size; i++, rest >>= 8n) bytes[field.offset + i] = Number(rest & 0xffn);
}
