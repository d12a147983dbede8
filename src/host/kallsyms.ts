import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { KernelSymbols } from "./kernel-symbols.ts";
import { SymbolTableBuilder } from "./symbol-table.ts";

const CHUNK_BYTES = 65_536;
const NEWLINE = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;

/**
 * Reads `<procRoot>/kallsyms`. Gives undefined where the kernel has none or shows only zeros
 * (kernel.kptr_restrict, or no CAP_SYSLOG: kernel/ksyms_common.c).
 */
export function readKernelSymbols({ procRoot }: { readonly procRoot: string }): KernelSymbols | undefined {
  let fd: number;
  try {
    fd = openSync(join(procRoot, "kallsyms"), "r");
  } catch {
    return undefined;
  }
  try {
    return parseKernelSymbols(chunksOf(fd));
  } finally {
    closeSync(fd);
  }
}

/** Parses the text of kallsyms given in pieces of any size; undefined when no text symbol has an address. */
export function parseKernelSymbols(chunks: Iterable<Uint8Array>): KernelSymbols | undefined {
  const builder = new SymbolTableBuilder();
  let carry: Uint8Array = new Uint8Array(0);
  for (const chunk of chunks) {
    const bytes = carry.length === 0 ? chunk : Buffer.concat([carry, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      addLine(builder, bytes, start, end);
      start = end + 1;
    }
    carry = bytes.slice(start);
  }
  addLine(builder, carry, 0, carry.length);
  return builder.size === 0 ? undefined : new KernelSymbols(builder.finish());
}

function* chunksOf(fd: number): Generator<Uint8Array> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const length = readSync(fd, chunk, 0, CHUNK_BYTES, null);
    if (length === 0) return;
    yield chunk.subarray(0, length);
  }
}

/**
 * One line is `<hex address> <type> <name>[\t[module]]`; text is type t, T, w or W. Works on indices and
 * 32-bit halves: an object or a bigint for each of 120,000 lines would cost 20 MiB.
 */
function addLine(builder: SymbolTableBuilder, bytes: Uint8Array, start: number, end: number): void {
  let high = 0;
  let low = 0;
  let at = start;
  for (; at < end && bytes[at] !== SPACE; at++) {
    const digit = hexDigit(bytes[at] ?? 0);
    if (digit < 0) return;
    high = (high * 16 + (low >>> 28)) >>> 0;
    low = (low * 16 + digit) >>> 0;
  }
  const type = (bytes[at + 1] ?? 0) | 0x20;
  const nameStart = at + 3;
  if (at === start || nameStart >= end || (type !== 0x74 && type !== 0x77) || (high === 0 && low === 0))
    return;
  let nameEnd = nameStart;
  while (nameEnd < end && bytes[nameEnd] !== TAB) nameEnd++;
  builder.add(high, low, bytes, nameStart, nameEnd);
}

function hexDigit(char: number): number {
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const lower = char | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
