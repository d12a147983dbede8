import { writeSync } from "node:fs";

/** Standard output as the commands use it. */
export interface Output {
  readonly write: (text: string) => void;
  /** Aborts when nobody reads any more: the other end of a pipe has closed it. */
  readonly signal: AbortSignal;
}

/** Opens standard output; what is written after it was closed goes nowhere, and that is no fault. */
export function openOutput(stdout: NodeJS.WriteStream): Output {
  const closed = new AbortController();
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
    closed.abort();
  });
  const write = (text: string) => {
    if (!closed.signal.aborted) stdout.write(text);
  };
  return { write, signal: closed.signal };
}

/** Writes one line to standard error, at once; a closed one is no fault either. */
export function sayLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EPIPE" && code !== "EIO" && code !== "EAGAIN") throw error;
  }
}
