import { writeSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SetupError } from "../syscall/setup-error.ts";

/** Standard output as the commands use it. */
export interface Output {
  readonly write: (text: string) => void;
  /** Aborts when nothing more can be written: the other end of a pipe has closed it, or the disk is full. */
  readonly signal: AbortSignal;
  /** Waits until all that was written has been taken, or can no longer be; no longer than until the signal. */
  readonly taken: (enough: AbortSignal) => Promise<void>;
  /** Throws SetupError if writing failed for another reason than that nobody reads. */
  readonly check: () => Promise<void>;
}

/** Opens standard output; what is written after its reader closed it goes nowhere, and that is no fault. */
export function openOutput(stdout: NodeJS.WriteStream): Output {
  const closed = new AbortController();
  let failure: SetupError | undefined;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") failure ??= outputError(error);
    closed.abort();
  });
  const write = (text: string) => {
    if (!closed.signal.aborted) stdout.write(text);
  };
  const check = async () => {
    await nextTurn(); // the stream tells of its last write a moment later
    if (failure !== undefined) throw failure;
  };
  const taken = async (enough: AbortSignal) => {
    const either = AbortSignal.any([closed.signal, enough]);
    if (stdout.writableLength === 0 || either.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    stdout.write("", () => resolve());
    either.addEventListener("abort", () => resolve(), { once: true });
    await promise;
  };
  return { write, signal: closed.signal, taken, check };
}

/** Writes one line to standard error, at once; a closed one is no fault either. */
export function sayLine(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EPIPE" && code !== "EIO" && code !== "EAGAIN" && code !== "ENOSPC") throw error;
  }
}

function outputError(error: NodeJS.ErrnoException): SetupError {
  const code = error.code ?? error.message;
  return new SetupError("file", `Cannot write to standard output: it says ${code}`, {
    cause: error,
    remedy: code === "ENOSPC" ? "Free some space, or send the output elsewhere" : "Send the output elsewhere",
  });
}
