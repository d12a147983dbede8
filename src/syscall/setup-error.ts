/** Why the machine does not let us work; each code has one exit code in the command line's table. */
export type SetupErrorCode =
  /** Not uid 0. */
  | "not-root"
  /** tracefs is neither mounted nor can it be mounted. */
  | "no-tracefs"
  /** The kernel's lockdown is `confidentiality`. */
  | "lockdown"
  /** Another security rule (SELinux, AppArmor, seccomp, a read-only mount, a user namespace) says no. */
  | "refused"
  /** The kernel would not take a probe's definition. */
  | "no-probe"
  /** The kernel would not take an eprobe (before 5.15, or built without them). */
  | "no-eprobe"
  /** The kernel has no such trace event. */
  | "no-event"
  /** The kernel has no type information (/sys/kernel/btf/vmlinux), or lacks a member we need. */
  | "no-btf"
  /** The private tracefs instance could not be made or set up. */
  | "instance"
  /** A file could not be read or written, or its content is not ours. */
  | "file"
  /** The address and port for health and metrics cannot be had. */
  | "port"
  /** A program that this function needs is not installed. */
  | "no-tool"
  /** The Node.js that runs this is too old. */
  | "old-node";

export interface SetupErrorOptions {
  /** What to do about it: one sentence, no final period. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The machine will not let us. Thrown where the errno is known, caught once by the command line. */
export class SetupError extends Error {
  override readonly name = "SetupError";
  readonly code: SetupErrorCode;
  /** What to do about it: one sentence, no final period. */
  readonly remedy: string;

  constructor(code: SetupErrorCode, message: string, { remedy, cause }: SetupErrorOptions) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.remedy = remedy;
  }
}
