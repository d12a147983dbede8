import { getSystemErrorMap } from "node:util";

/** A failed system call, shaped as `node:fs` shapes its own, so that one translation serves both. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  /** The errno's name, such as "EPERM". */
  readonly code: string;
  /** Negative, as in Node's own errors. */
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const [code, text] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown error"];
    super(`${code}: ${text}, ${syscall}`);
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
  }
}

/** The errno's name of a failed `node:fs` or libc call, undefined for any other thrown value. */
export function errnoName(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || !("syscall" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
