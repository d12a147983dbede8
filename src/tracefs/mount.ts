import { spawnSync } from "node:child_process";
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
import { join } from "node:path";
import type { Libc } from "../syscall/libc.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { errnoName } from "../syscall/system-call-error.ts";
import { refusalError } from "./errors.ts";
import { type Lockdown, readLockdown } from "./lockdown.ts";
import { parseTracefsMounts } from "./mountinfo.ts";

/** A tracefs to work in; everything in this room takes its paths from here. */
export interface Tracefs {
  /** The mount point. */
  readonly path: string;
  readonly lockdown: Lockdown | undefined;
}

/** A tracefs that stays mounted until disposed; unmounted then if we mounted it and nobody else uses it. */
export interface TracefsMount extends Tracefs, Disposable {
  readonly mountedHere: boolean;
}

export interface TracefsOptions {
  readonly libc?: Libc | undefined;
  /** Where /proc and /sys are: other paths inside a pod. */
  readonly procRoot?: string;
  readonly sysRoot?: string;
}

/** Finds the host's tracefs, else mounts one; throws SetupError. */
export function openTracefs(options: TracefsOptions = {}): TracefsMount {
  const { procRoot = "/proc", sysRoot = "/sys", libc } = options;
  const lockdown = readLockdown(sysRoot);
  const found = findMounted(procRoot, lockdown);
  if (found !== undefined) return found;
  const usual = join(sysRoot, "kernel/tracing");
  if (existsSync(usual)) {
    const mounted = mountAt(usual, { libc, lockdown });
    if (mounted !== undefined) return mounted;
    // EBUSY: another tool has mounted it there since we looked, or it is there read-only.
    const again = findMounted(procRoot, lockdown);
    if (again !== undefined) return again;
  }
  return mountInOwnDirectory({ libc, lockdown });
}

/** The first mount of tracefs that holds files; lockdown leaves it empty, and a later mount may hide it. */
function findMounted(procRoot: string, lockdown: Lockdown | undefined): TracefsMount | undefined {
  for (const path of parseTracefsMounts(readFileSync(join(procRoot, "self/mountinfo"), "utf8"))) {
    const pin = pinDirectory(path, lockdown);
    if (pin === undefined) continue;
    return { path, lockdown, mountedHere: false, [Symbol.dispose]: once(() => closeSync(pin)) };
  }
  return undefined;
}

interface MountOptions {
  readonly libc: Libc | undefined;
  readonly lockdown: Lockdown | undefined;
}

/** Mounts tracefs on a directory, undefined where something of its kind is there already. */
function mountAt(path: string, { libc, lockdown }: MountOptions): TracefsMount | undefined {
  if (!mountTracefs(path, { libc, lockdown })) return undefined;
  const undo = () => unmount(path, libc);
  let pin: number | undefined;
  try {
    pin = pinDirectory(path, lockdown);
  } catch (error) {
    undo();
    throw error;
  }
  if (pin === undefined) {
    undo();
    throw emptyError(path, lockdown);
  }
  const held = pin;
  const dispose = once(() => {
    closeSync(held);
    undo();
  });
  return { path, lockdown, mountedHere: true, [Symbol.dispose]: dispose };
}

function mountInOwnDirectory(options: MountOptions): TracefsMount {
  const path = mkdtempSync(join(tmpdir(), "tcpretrans-tracefs-"));
  try {
    const mounted = mountAt(path, options);
    if (mounted === undefined) throw emptyError(path, options.lockdown);
    return {
      ...mounted,
      [Symbol.dispose]: once(() => {
        mounted[Symbol.dispose]();
        removeIfFree(path);
      }),
    };
  } catch (error) {
    removeIfFree(path);
    throw error;
  }
}

/** False for EBUSY: the same file system is mounted on the same directory (do_add_mount, fs/namespace.c). */
function mountTracefs(path: string, { libc, lockdown }: MountOptions): boolean {
  if (libc === undefined) return mountByCommand(path, lockdown);
  try {
    libc.mount("tracefs", path);
    return true;
  } catch (error) {
    const errno = errnoName(error);
    if (errno === "EBUSY") return false;
    if (errno === "ENODEV") throw notBuiltError(error);
    throw refusalError("mount tracefs", error, lockdown);
  }
}

/** mount(8): exit code 32 for every failure of mount(2), with the reason as text. */
function mountByCommand(path: string, lockdown: Lockdown | undefined): boolean {
  const arguments_ = ["-t", "tracefs", "-o", "nosuid,nodev,noexec", "tracefs", path];
  const { error, status, stderr } = spawnSync("mount", arguments_, {
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
  throw refusalError("mount tracefs", refusal, lockdown);
}

/** Leaves it mounted on EBUSY: another process found it in the meantime and works in it. */
function unmount(path: string, libc: Libc | undefined): void {
  if (libc === undefined) {
    spawnSync("umount", [path], { stdio: "ignore" });
    return;
  }
  try {
    libc.umount(path);
  } catch (error) {
    if (errnoName(error) === undefined) throw error;
  }
}

/** Opens the directory if files of tracefs are in it: the descriptor keeps everyone from unmounting it. */
function pinDirectory(path: string, lockdown: Lockdown | undefined): number | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    if (readdirSync(path).includes("instances")) return fd;
    closeSync(fd);
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw refusalError(`open tracefs at ${path}`, error, lockdown);
  }
  return undefined;
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

function removeIfFree(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (errnoName(error) !== "EBUSY") throw error; // still mounted, because still used
  }
}

function once(undo: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    undo();
  };
}
