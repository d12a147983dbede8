import { closeSync, openSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Libc } from "../syscall/libc.ts";

/** include/linux/exportfs.h: the 8-byte kernfs node id, which is the directory's inode number; since 5.5. */
const FILEID_KERNFS = 0xfe;

export interface CgroupHandlesOptions {
  readonly procRoot: string;
  readonly libc: Libc | undefined;
}

/** Finds the path of a cgroup by its id at once: 10 µs, however many there are. */
export class CgroupHandles implements Disposable {
  readonly #libc: Libc;
  readonly #mountFd: number;
  readonly #fdLinks: string;
  /** The mount's path as the kernel writes it. */
  readonly #base: string;
  /** struct file_handle: u32 handle_bytes, int handle_type, then the handle; the id is written for each look-up. */
  readonly #handle = new Uint8Array(16);
  readonly #view = new DataView(this.#handle.buffer);
  readonly #littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

  /** Undefined without node:ffi, without CAP_DAC_READ_SEARCH, or where the kernel (before 5.5) has no such handles. */
  static open(mountPath: string, { libc, procRoot }: CgroupHandlesOptions): CgroupHandles | undefined {
    if (libc === undefined) return undefined;
    const handles = new CgroupHandles(libc, openSync(mountPath, "r"), join(procRoot, "self/fd"));
    if (handles.pathOf(statSync(mountPath, { bigint: true }).ino) === "/") return handles;
    handles[Symbol.dispose]();
    return undefined;
  }

  private constructor(libc: Libc, mountFd: number, fdLinks: string) {
    this.#libc = libc;
    this.#mountFd = mountFd;
    this.#fdLinks = fdLinks;
    this.#base = readlinkSync(`${fdLinks}/${mountFd}`);
    this.#view.setUint32(0, 8, this.#littleEndian);
    this.#view.setInt32(4, FILEID_KERNFS, this.#littleEndian);
  }

  /** The path below the mount; undefined when the directory is gone or lies outside what the mount shows. */
  pathOf(id: bigint): string | undefined {
    this.#view.setBigUint64(8, id, this.#littleEndian);
    const fd = this.#libc.openByHandle(this.#mountFd, this.#handle);
    if (fd < 0) return undefined;
    try {
      return this.#belowMount(readlinkSync(`${this.#fdLinks}/${fd}`));
    } finally {
      closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#mountFd);
  }

  /** The kernel opens any directory of the file system, but has no path of one outside the mount ("/", fs/d_path.c). */
  #belowMount(path: string): string | undefined {
    if (path === this.#base) return "/";
    if (!path.startsWith(`${this.#base}/`)) return undefined;
    const end = path.endsWith(" (deleted)") ? -" (deleted)".length : undefined; // in the last microseconds
    return path.slice(this.#base.length, end);
  }
}
