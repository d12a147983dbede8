import { closeSync, constants, openSync, readSync } from "node:fs";
import type { Libc } from "../syscall/libc.ts";
import { errnoName } from "../syscall/system-call-error.ts";

/**
 * The CPU has no ring buffer (ENODEV). One that merely went offline keeps its buffer: its pipe gives what is
 * left in it, then 0, and goes on when the CPU is back (seen on 5.10 and 6.12).
 */
export const CPU_GONE = -1;

/** A CPU's `trace_pipe_raw`, opened not to wait. */
export interface CpuPipe extends Disposable {
  readonly cpu: number;
  /** For a poll set. */
  readonly fd: number;
  /**
   * One read(2) of at most one page: its bytes, 0 for nothing now, CPU_GONE. The buffer must hold a whole page
   * (header and data of `header_page`): a smaller one makes the kernel hand out pages in parts.
   */
  read(buffer: Uint8Array): number;
  close(): void;
}

/** Opens a CPU's raw pipe; throws the errno of open(2). */
export function openCpuPipe(path: string, { cpu, libc }: { cpu: number; libc: Libc | undefined }): CpuPipe {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let open = true;
  const close = () => {
    if (open) closeSync(fd);
    open = false;
  };
  // An empty pipe is the usual answer. libc says so in 0.6 µs; Node throws: 2.3 µs, 3.9 with a stack trace.
  const read =
    libc === undefined ? readByNode : (from: number, into: Uint8Array) => readByLibc(libc, from, into);
  return { cpu, fd, read: (buffer) => read(fd, buffer), close, [Symbol.dispose]: close };
}

/** include/uapi/asm-generic/errno-base.h: the same number on every architecture that Node runs on. */
const ENODEV = 19;

function readByLibc(libc: Libc, fd: number, buffer: Uint8Array): number {
  const got = libc.read(fd, buffer);
  if (got >= 0) return got;
  return got === -ENODEV ? CPU_GONE : 0; // EAGAIN, EINTR, and EBUSY or ENOMEM, which pass
}

function readByNode(fd: number, buffer: Uint8Array): number {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return readSync(fd, buffer, 0, buffer.length, null); // null: read(2); a number would be pread(2)
  } catch (error) {
    const errno = errnoName(error);
    if (errno === undefined) throw error;
    return errno === "ENODEV" ? CPU_GONE : 0;
  } finally {
    Error.stackTraceLimit = limit;
  }
}
