import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";

/** A named pipe with both ends open, not waiting: a descriptor that is sometimes empty, as trace_pipe_raw is. */
export function makeFifo(
  directory: string,
  name = "fifo",
): { reader: number; writer: number; close(): void } {
  const path = join(directory, name);
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const close = () => {
    closeSync(reader);
    closeSync(writer);
  };
  return { reader, writer, close };
}
