import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Libc } from "../syscall/libc.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { errnoName } from "../syscall/system-call-error.ts";
import { instanceError } from "./errors.ts";
import { type Lockdown, readLockdown } from "./lockdown.ts";
import { parseTracefsMounts } from "./mountinfo.ts";

/** A tracefs to work in; everything in this room takes its paths from here. */
export interface Tracefs {
  /** The mount point. */
  readonly path: string;
  readonly lockdown: Lockdown | undefined;
}

/** A tracefs that stays mounted until disposed. */
export interface TracefsMount extends Tracefs, Disposable {
  /** Mounted by this process or by an earlier one of ours that was killed: unmounted at the end, if unused. */
  readonly mountedHere: boolean;
}

export interface TracefsOptions {
  readonly libc?: Libc | undefined;
  /** Where it is mounted; undefined: wherever the mounts of this process say, else it is mounted. */
  readonly path?: string | undefined;
  /** Where /proc and /sys are, of this process's own mounts. */
  readonly procRoot?: string;
  readonly sysRoot?: string;
}

/** The source of our mounts in mountinfo, by which the last of our processes knows that unmounting is its part. */
const MOUNT_SOURCE = "tcpretrans";

const OWN_DIRECTORY = "tcpretrans-tracefs-";

/** Finds the host's tracefs, else mounts one; throws SetupError. */
export function openTracefs({
  procRoot = "/proc",
  sysRoot = "/sys",
  libc,
  path,
}: TracefsOptions = {}): TracefsMount {
  const host = { libc, lockdown: readLockdown(sysRoot) };
  if (path !== undefined) return openAt(path, host);
  const found = findMounted(procRoot, host);
  if (found !== undefined) return found;
  const usual = join(sysRoot, "kernel/tracing");
  if (existsSync(usual)) {
    if (mountTracefs(usual, host)) return holdOurs(usual, host);
    // EBUSY: another tool has mounted it there since we looked, or it is there read-only.
    const again = findMounted(procRoot, host);
    if (again !== undefined) return again;
  }
  const own = makeDirectory(usual);
  try {
    mountTracefs(own, host);
  } catch (error) {
    rmdirSync(own);
    throw error;
  }
  return holdOurs(own, host);
}

/** Throws SetupError where nothing can be written, as in a container with a read-only root. */
function makeDirectory(usual: string): string {
  try {
    return mkdtempSync(join(tmpdir(), OWN_DIRECTORY));
  } catch (error) {
    const state = `${usual} is not there, and no directory can be made for it (${errnoName(error)})`;
    throw new SetupError("no-tracefs", `Cannot mount tracefs: ${state}`, {
      remedy: "Use a kernel with CONFIG_FTRACE and /sys of the host, or --probe=counters",
      cause: error,
    });
  }
}

interface Host {
  readonly libc: Libc | undefined;
  readonly lockdown: Lockdown | undefined;
}

/** Somebody else's mount, which stays. */
function openAt(path: string, host: Host): TracefsMount {
  const pin = pinDirectory(path, host.lockdown);
  if (pin === undefined) throw emptyError(path, host.lockdown);
  return hold(path, { pin, mountedHere: false, host });
}

/** The first mount of tracefs that holds files; lockdown leaves it empty, and a later mount may hide it. */
function findMounted(procRoot: string, host: Host): TracefsMount | undefined {
  for (const { path, source } of parseTracefsMounts(readFileSync(join(procRoot, "self/mountinfo"), "utf8"))) {
    const pin = pinDirectory(path, host.lockdown);
    if (pin !== undefined) return hold(path, { pin, mountedHere: source === MOUNT_SOURCE, host });
  }
  return undefined;
}

/** What we have just mounted; an empty one is undone. */
function holdOurs(path: string, host: Host): TracefsMount {
  const pin = pinDirectory(path, host.lockdown);
  if (pin !== undefined) return hold(path, { pin, mountedHere: true, host });
  unmount(path, host.libc);
  throw emptyError(path, host.lockdown);
}

function hold(
  path: string,
  { pin, mountedHere, host }: { pin: number; mountedHere: boolean; host: Host },
): TracefsMount {
  let open = true;
  const dispose = () => {
    if (!open) return;
    open = false;
    closeSync(pin);
    if (mountedHere) unmount(path, host.libc);
  };
  return { path, lockdown: host.lockdown, mountedHere, [Symbol.dispose]: dispose };
}

/** False for EBUSY: the same file system is mounted on the same directory (do_add_mount, fs/namespace.c). */
function mountTracefs(path: string, { libc, lockdown }: Host): boolean {
  if (libc === undefined) return mountByCommand(path, lockdown);
  try {
    libc.mount(MOUNT_SOURCE, path, "tracefs");
    return true;
  } catch (error) {
    const errno = errnoName(error);
    if (errno === "EBUSY") return false;
    if (errno === "ENODEV") throw notBuiltError(error);
    throw instanceError("mount tracefs", error, lockdown);
  }
}

/** mount(8): exit code 32 for every failure of mount(2), with the reason as text. */
function mountByCommand(path: string, lockdown: Lockdown | undefined): boolean {
  const arguments_ = ["-t", "tracefs", "-o", "nosuid,nodev,noexec", MOUNT_SOURCE, path];
  const { error, status, stderr } = childProcess().spawnSync("mount", arguments_, {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (status === 0) return true;
  if (error !== undefined) {
    throw new SetupError("no-tool", "Cannot mount tracefs: neither node:ffi nor the mount command is here", {
      remedy: "Run mount -t tracefs tracefs /sys/kernel/tracing on the host, or use Node 26",
      cause: error,
    });
  }
  const text = stderr.trim().split("\n")[0] ?? "";
  if (/already mounted|busy/i.test(text)) return false;
  if (/unknown filesystem type/i.test(text)) throw notBuiltError(text);
  const refusal = Object.assign(new Error(text), { code: "EPERM", syscall: "mount" });
  throw instanceError("mount tracefs", refusal, lockdown);
}

/** Leaves it mounted on EBUSY: another process works in it, and unmounts it if it is one of ours. */
function unmount(path: string, libc: Libc | undefined): void {
  if (libc === undefined) childProcess().spawnSync("umount", [path], { stdio: "ignore" });
  else ignoreErrno(() => libc.umount(path));
  if (basename(path).startsWith(OWN_DIRECTORY)) ignoreErrno(() => rmdirSync(path));
}

function ignoreErrno(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
  }
}

/** Opens the directory if files of tracefs are in it: the descriptor keeps everyone from unmounting it. */
function pinDirectory(path: string, lockdown: Lockdown | undefined): number | undefined {
  let fd: number | undefined;
  let holdsFiles = false;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    holdsFiles = readdirSync(path).includes("instances");
    return holdsFiles ? fd : undefined;
  } catch (error) {
    const errno = errnoName(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    throw instanceError(`open tracefs at ${path}`, error, lockdown);
  } finally {
    if (fd !== undefined && !holdsFiles) closeSync(fd);
  }
}

function emptyError(path: string, lockdown: Lockdown | undefined): SetupError {
  if (lockdown === "confidentiality") {
    return new SetupError(
      "lockdown",
      "Cannot use tracefs: kernel lockdown is confidentiality, which leaves it empty",
      {
        remedy: "Boot with lockdown=integrity, or use --probe=counters",
      },
    );
  }
  return new SetupError("no-tracefs", `Cannot use tracefs: nothing is in it at ${path}`, {
    remedy: "Mount it on the host: mount -t tracefs tracefs /sys/kernel/tracing",
  });
}

function notBuiltError(cause: unknown): SetupError {
  return new SetupError("no-tracefs", "Cannot mount tracefs: this kernel was built without it", {
    remedy: "Use a kernel with CONFIG_FTRACE, or --probe=counters",
    cause,
  });
}

/** Loaded when it is needed, which is seldom: it takes 3 MB of memory. */
function childProcess() {
  return process.getBuiltinModule("node:child_process");
}
