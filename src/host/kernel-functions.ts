import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { KernelSymbols } from "./kernel-symbols.ts";

/** What an address in any other function resolves to. */
const OTHER = "[other]";
const FIRST_BYTES = 8 << 20;
/** Of functions, local and global, weak ones too (nm(1)). */
const TYPES = Buffer.from("tTwW");
/** What stands behind a name: the line's end, a part's suffix, the module. */
const ENDS = Buffer.from("\n.\t");
/** `<hex address> <type> `, as a line of kallsyms begins. */
const LINE = /^([0-9a-f]+) ([a-zA-Z]) /;

/**
 * Finds functions by name in `<procRoot>/kallsyms`, with the compiler's suffixes: a fiftieth of what readKernelSymbols() does
 * and keeps. Addresses elsewhere resolve to no function's name. Gives undefined where that would, or where none of them is.
 */
export function readKernelFunctions(
  { procRoot }: { readonly procRoot: string },
  names: readonly string[],
): KernelSymbols | undefined {
  let text: Buffer<ArrayBuffer>;
  try {
    text = readToEnd(join(procRoot, "kallsyms"));
  } catch {
    return undefined;
  }
  const starts = names.flatMap((name) => linesOf(text, name).map((at) => ({ name, at })));
  const symbols: [bigint, string][] = [];
  const ends: [bigint, string][] = [];
  for (const { name, at } of starts) {
    const address = addressAt(text, at);
    if (address === undefined || address === 0n) continue;
    symbols.push([address, name]);
    ends.push([endOf(text, at, address), OTHER]);
  }
  text.buffer.transfer(0); // given back at once: an idle process may never collect it
  return symbols.length === 0 ? undefined : KernelSymbols.fromList([...symbols, ...ends]);
}

/** Where the lines of a function and of its parts (`name.part.0`, `name.cold`) begin. The search is the engine's own, and one for each name. */
function linesOf(text: Buffer, name: string): readonly number[] {
  const found: number[] = [];
  const needle = ` ${name}`;
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const [type, after] = [text[at - 1] ?? 0, text[at + needle.length] ?? 0];
    if (TYPES.includes(type) && ENDS.includes(after)) found.push(text.lastIndexOf("\n", at) + 1);
  }
  return found;
}

/** The first higher address in the lines that follow: several names may stand for one address. */
function endOf(text: Buffer, at: number, address: bigint): bigint {
  for (let next = text.indexOf("\n", at) + 1; next > 0; next = text.indexOf("\n", next) + 1) {
    const end = addressAt(text, next);
    if (end === undefined) break;
    if (end > address) return end;
  }
  return address + 4096n;
}

function addressAt(text: Buffer, at: number): bigint | undefined {
  const [, address] = LINE.exec(text.toString("latin1", at, at + 24)) ?? [];
  return address === undefined ? undefined : BigInt(`0x${address}`);
}

/** Reads a file of /proc, whose size is not known before. */
function readToEnd(path: string): Buffer<ArrayBuffer> {
  const fd = openSync(path, "r");
  try {
    let bytes = Buffer.from(new ArrayBuffer(FIRST_BYTES));
    for (let end = 0; ; ) {
      const got = readSync(fd, bytes, end, bytes.length - end, null);
      end += got;
      if (got === 0) return bytes.subarray(0, end);
      if (end === bytes.length) bytes = Buffer.from(bytes.buffer.transfer(2 * end));
    }
  } finally {
    closeSync(fd);
  }
}
