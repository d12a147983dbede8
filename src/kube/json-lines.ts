import { ByteAssembly } from "./byte-assembly.ts";

const NEWLINE = 0x0a;

export interface LineSplitterOptions {
  /** A longer line is given as undefined. */
  readonly maxBytes: number;
  /** Takes a line without its end; false: no more lines are wanted. */
  readonly line: (text: string | undefined) => boolean;
}

/** Cuts a stream of bytes into lines; empty lines are left out, and so is a last line without its end. */
export class LineSplitter {
  readonly #line: LineSplitterOptions["line"];
  readonly #assembly: ByteAssembly;

  constructor({ maxBytes, line }: LineSplitterOptions) {
    this.#line = line;
    this.#assembly = new ByteAssembly(maxBytes);
  }

  /** Takes the next bytes, and may keep them until their line ends; false once a line was the last that is wanted. */
  push(chunk: Uint8Array): boolean {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#assembly.append(chunk.subarray(start, end));
      start = end + 1;
      if (this.#assembly.bytes > 0 && !this.#line(this.#assembly.take())) return false;
    }
    this.#assembly.append(chunk.subarray(start));
    return true;
  }
}
