import { SetupError, type SetupErrorCode } from "../syscall/setup-error.ts";
import { errnoName } from "../syscall/system-call-error.ts";
import type { Lockdown } from "./lockdown.ts";

interface Meaning {
  readonly code: SetupErrorCode;
  /** The state, for after the colon. */
  readonly state: string;
  readonly remedy: string;
}

interface ProbeContext {
  /** The kernel's own words, from error_log. */
  readonly words: string | undefined;
  readonly lockdown: Lockdown | undefined;
}

/** What a probe definition's first letter needs, for kernels that say EINVAL and log nothing. */
const NEEDS: Readonly<Record<string, string>> = {
  p: "kprobes (CONFIG_KPROBE_EVENTS)",
  r: "kprobes (CONFIG_KPROBE_EVENTS)",
  e: "event probes (Linux 5.15 or newer, CONFIG_EPROBE_EVENTS)",
  f: "function probes (Linux 6.5 or newer, CONFIG_FPROBE_EVENTS)",
  t: "tracepoint probes (Linux 6.5 or newer, CONFIG_FPROBE_EVENTS)",
};

const STEP_DOWN = "Use --probe=auto, which takes the best means of capture that this kernel allows";

/** What the errnos of a probe's definition mean (kernel/trace/trace_kprobe.c, trace_eprobe.c, kernel/kprobes.c). */
const PROBE_MEANINGS: Readonly<Record<string, Omit<Meaning, "code">>> = {
  ENOENT: { state: "the kernel has no such symbol, or it is inlined", remedy: STEP_DOWN },
  EADDRNOTAVAIL: { state: "the symbol occurs more than once (refused since 6.6)", remedy: STEP_DOWN },
  EILSEQ: { state: "the address is not the start of an instruction", remedy: STEP_DOWN },
  ERANGE: { state: "a number in the definition is out of range", remedy: STEP_DOWN },
  E2BIG: { state: "the definition is too long for this kernel", remedy: STEP_DOWN },
  ENODEV: { state: "the trace event does not exist, or event numbers are used up", remedy: STEP_DOWN },
  EOPNOTSUPP: { state: "this kernel does not support the probe", remedy: STEP_DOWN },
  ENOTSUP: { state: "this kernel does not support the probe", remedy: STEP_DOWN },
  EEXIST: { state: "a probe of this name exists", remedy: "Start again: each start takes new names" },
  EBUSY: { state: "the probe is in use", remedy: "Stop the other program that has this event enabled" },
  ENOSPC: { state: "the kernel has no room for more", remedy: "Remove probes that nobody uses" },
  ENOMEM: { state: "the kernel is out of memory", remedy: "Free memory and start again" },
};

/** A refused probe definition as one sentence: the kernel's own words where it logged some, else the errno. */
export function probeError(definition: string, error: unknown, { words, lockdown }: ProbeContext): Error {
  const action = `install probe "${probeHead(definition)}"`;
  const errno = errnoName(error);
  if (errno === undefined) return asError(error);
  if (isRefusal(errno)) return refusalError(action, error, lockdown);
  const meaning = errno === "EINVAL" ? invalidMeaning(definition) : PROBE_MEANINGS[errno];
  const state =
    words === undefined
      ? `the kernel says ${errno}${meaning === undefined ? "" : `: ${meaning.state}`}`
      : `the kernel says "${words}" (${errno})`;
  return new SetupError("no-probe", `Cannot ${action}: ${state}`, {
    remedy: meaning?.remedy ?? STEP_DOWN,
    cause: error,
  });
}

/** EPERM, EACCES or EROFS as one sentence: not root, lockdown, or some other rule. */
export function refusalError(action: string, error: unknown, lockdown: Lockdown | undefined): Error {
  const errno = errnoName(error);
  if (errno === undefined) return asError(error);
  const { code, state, remedy } = refusalMeaning(errno, lockdown);
  return new SetupError(code, `Cannot ${action}: ${state}`, { remedy, cause: error });
}

/** A failure to set up or use the private instance as one sentence. */
export function instanceError(action: string, error: unknown, lockdown: Lockdown | undefined): Error {
  const errno = errnoName(error);
  if (errno === undefined) return asError(error);
  if (isRefusal(errno)) return refusalError(action, error, lockdown);
  const remedy =
    errno === "ENOMEM"
      ? "Free memory: an instance takes 1.4 MB for each CPU at first, then --buffer-size"
      : "Run tcpretrans doctor, which tries each step by itself";
  return new SetupError("instance", `Cannot ${action}: the kernel says ${errno}`, { remedy, cause: error });
}

/** A trace event that this kernel does not have. */
export function noEventError(group: string, event: string, cause: unknown): SetupError {
  return new SetupError("no-event", `Cannot use event "${group}:${event}": this kernel has no such event`, {
    remedy: group === "tcp" ? "Use a kernel with TCP trace events: 4.15 or newer, CONFIG_FTRACE" : STEP_DOWN,
    cause,
  });
}

/** Whether the errno is a security rule's no, which no other definition would get round. */
function isRefusal(errno: string): boolean {
  return errno === "EPERM" || errno === "EACCES" || errno === "EROFS";
}

function refusalMeaning(errno: string, lockdown: Lockdown | undefined): Meaning {
  if (process.geteuid?.() !== 0) {
    return {
      code: "not-root",
      state: `not root (${errno})`,
      remedy: "Run it as root, for example with sudo",
    };
  }
  if (lockdown === "confidentiality") {
    return {
      code: "lockdown",
      state: `kernel lockdown is confidentiality (${errno})`,
      remedy: "Boot with lockdown=integrity, or use --probe=counters",
    };
  }
  if (errno === "EROFS") {
    return { code: "refused", state: "tracefs is mounted read-only", remedy: "Mount tracefs read-write" };
  }
  return {
    code: "refused",
    state: `a security rule refuses it even to root (${errno})`,
    remedy: "Run it privileged, outside AppArmor, SELinux and seccomp confinement and user namespaces",
  };
}

function invalidMeaning(definition: string): Omit<Meaning, "code"> {
  const needs = NEEDS[definition[0] ?? ""];
  return {
    state:
      needs === undefined ? "the definition is invalid" : `the definition is invalid here, or no ${needs}`,
    remedy: STEP_DOWN,
  };
}

/** `p:group/event` of a definition, which is all of it that a reader needs. */
function probeHead(definition: string): string {
  const space = definition.indexOf(" ");
  return space < 0 ? definition : definition.slice(0, space);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
