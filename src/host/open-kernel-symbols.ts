import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { type KernelSymbols, readKernelSymbols } from "./kernel-symbols.ts";

const CHUNK_BYTES = 16_384;
/** The first text symbol of kallsyms: `_text` or `_stext`, after the per-CPU ones at the most. */
const TEXT_SYMBOL = /^([0-9a-f]+) [tTwW] .*\n/m;

/**
 * Kernel functions by address, read when the first is asked for: while nothing happens, a hundred thousand symbols need
 * neither be parsed nor kept. Gives undefined where readKernelSymbols() would.
 */
export function openKernelSymbols(host: {
  readonly procRoot: string;
}): Pick<KernelSymbols, "resolve"> | undefined {
  if (!showsAddresses(join(host.procRoot, "kallsyms"))) return undefined;
  let symbols: KernelSymbols | undefined;
  return {
    resolve(address) {
      symbols ??= readKernelSymbols(host);
      return symbols?.resolve(address);
    },
  };
}

/** Where addresses are hidden they are all 0 (kernel/ksyms_common.c), so that the first one tells. */
function showsAddresses(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return false;
  }
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let text = ""; ; text = text.slice(text.lastIndexOf("\n") + 1)) {
      const length = readSync(fd, chunk, 0, CHUNK_BYTES, null);
      if (length === 0) return false;
      text += chunk.toString("latin1", 0, length);
      const [, address] = TEXT_SYMBOL.exec(text) ?? [];
      if (address !== undefined) return /[^0]/.test(address);
    }
  } finally {
    closeSync(fd);
  }
}
