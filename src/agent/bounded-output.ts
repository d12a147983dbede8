import type { Writable } from "node:stream";

export interface BoundedOutputOptions {
  /** What may wait for a reader that is slow, in bytes. */
  readonly maxWaiting?: number;
}

/** Text on its way to whoever reads the program's output. */
export interface BoundedOutput {
  write(text: string): void;
  /** Waits until all that waits has been taken, or can no longer be, for so long at most: for the end of the program. */
  drained(withinMs: number): Promise<void>;
  /** Texts that went nowhere: nobody reads, or not fast enough. */
  readonly lost: number;
  /** The reader has closed it, or it cannot be written. */
  readonly closed: boolean;
}

/** About a thousand lines. */
const MAX_WAITING = 256 * 1024;

/**
 * Opens an output that never waits and never grows: to a pipe, standard output takes all that it is given and keeps it
 * until it is read.
 */
export function openBoundedOutput(
  stream: Writable,
  { maxWaiting = MAX_WAITING }: BoundedOutputOptions = {},
): BoundedOutput {
  const state = { lost: 0, closed: false };
  stream.on("error", () => {
    state.closed = true;
  });
  return {
    write(text) {
      if (state.closed || stream.writableLength > maxWaiting) state.lost++;
      else stream.write(text);
    },
    async drained(withinMs) {
      if (state.closed || stream.writableLength === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      const late = setTimeout(resolve, withinMs);
      stream.write("", () => resolve());
      await promise;
      clearTimeout(late);
    },
    get lost() {
      return state.lost;
    },
    get closed() {
      return state.closed;
    },
  };
}
