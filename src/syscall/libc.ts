import { PollSet } from "./poll-set.ts";
import { type ReadableWatch, watchReadable } from "./readable-watch.ts";
import { SystemCallError } from "./system-call-error.ts";

type Ffi = typeof import("node:ffi");

/** include/uapi/linux/mount.h: MS_NOSUID | MS_NODEV | MS_NOEXEC. */
const MS_NOTHING_RUNS = 2n | 4n | 8n;

/** include/linux/socket.h, include/linux/net.h; the same on every architecture that Node runs on. */
const AF_NETLINK = 16;
const NETLINK_SOCKET_TYPE = 0x80803; // SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK

/** include/uapi/asm-generic/fcntl.h: O_PATH | O_CLOEXEC, the same on x86, arm64, ppc64 and s390. */
const O_PATH_CLOEXEC = 0o10000000 | 0o2000000;

/** include/uapi/linux/sched.h */
const CLONE_NEWNET = 0x40000000;

/** A wrong signature is a crash and not an exception: each stands beside its declaration, once. */
const SIGNATURES = {
  /** socket(2): int socket(int domain, int type, int protocol) */
  socket: { arguments: ["i32", "i32", "i32"], return: "i32" },
  /** setns(2): int setns(int fd, int nstype) */
  setns: { arguments: ["i32", "i32"], return: "i32" },
  /** errno(3) of this thread: int *__errno_location(void), the same in glibc and musl */
  __errno_location: { arguments: [], return: "pointer" },
  /** read(2): ssize_t read(int fd, void *buf, size_t count) */
  read: { arguments: ["i32", "buffer", "u64"], return: "i64" },
  /** write(2): ssize_t write(int fd, const void *buf, size_t count) */
  write: { arguments: ["i32", "buffer", "u64"], return: "i64" },
  /** poll(2): int poll(struct pollfd *fds, nfds_t nfds, int timeout); nfds_t is unsigned long */
  poll: { arguments: ["buffer", "u64", "i32"], return: "i32" },
  /** mount(2): int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) */
  mount: { arguments: ["string", "string", "string", "u64", "pointer"], return: "i32" },
  /** umount2(2): int umount2(const char *target, int flags) */
  umount2: { arguments: ["string", "i32"], return: "i32" },
  /** open_by_handle_at(2): int open_by_handle_at(int mount_fd, struct file_handle *handle, int flags) */
  open_by_handle_at: { arguments: ["i32", "buffer", "i32"], return: "i32" },
  /** madvise(2): int madvise(void *addr, size_t length, int advice) */
  madvise: { arguments: ["pointer", "u64", "i32"], return: "i32" },
} as const;

/** include/uapi/asm-generic/mman-common.h, the same on every architecture that Node runs on. */
const MADV_DONTNEED = 4;

/** Of glibc alone. malloc_trim(3): int malloc_trim(size_t pad) */
const GLIBC_SIGNATURES = { malloc_trim: { arguments: ["u64"], return: "i32" } } as const;

/** Not of every C library: glibc has getdents64 since 2.30. */
const DIRECTORY_SIGNATURES = {
  /** lseek(2): off_t lseek(int fd, off_t offset, int whence) */
  lseek: { arguments: ["i32", "i64", "i32"], return: "i64" },
  /** getdents64(2): ssize_t getdents64(int fd, void *dirp, size_t count) */
  getdents64: { arguments: ["i32", "buffer", "u64"], return: "i64" },
} as const;

/** include/uapi/asm-generic/errno.h: the same number on every architecture that Node runs on. */
const ENOSYS = 38;

/** The system calls that Node lacks. Of one thread: a worker opens its own. None of them ever waits. */
export interface Libc {
  /** read(2): bytes read, or minus the errno. Throws nothing, so an empty pipe costs 0.6 µs instead of 2.3. */
  read(fd: number, buffer: Uint8Array): number;
  /** write(2): bytes written, or minus the errno. */
  write(fd: number, buffer: Uint8Array): number;
  /** A netlink socket of this thread's network namespace, which never waits; the caller closes it. Throws SystemCallError. */
  netlinkSocket(protocol: number): number;
  /** setns(2): moves this thread alone into the network namespace of an open nsfs file. Throws SystemCallError. */
  enterNetwork(fd: number): void;
  /** A set of descriptors that one poll(2) asks together: 20 µs for 128. */
  pollSet(fds: readonly number[]): PollSet;
  /** Has the event loop of this thread wait for descriptors; undefined where it cannot. */
  watchReadable(fds: readonly number[]): ReadableWatch | undefined;
  /** mount(2) with nosuid, nodev, noexec. Throws SystemCallError. */
  mount(source: string, target: string, type: string): void;
  /** umount2(2), never lazily. Throws SystemCallError, EBUSY while someone uses it. */
  umount(target: string): void;
  /**
   * open_by_handle_at(2) as a mere path (O_PATH): a descriptor for node:fs to close, or minus the errno. `handle`
   * is a whole struct file_handle. EPERM without CAP_DAC_READ_SEARCH, ESTALE when there is no such file (any more).
   */
  openByHandle(mountFd: number, handle: Uint8Array): number;
  /**
   * lseek(2) and getdents64(2): goes on in an open directory behind a position that an entry has told (`d_off`), 0 for its
   * beginning. Bytes of `struct linux_dirent64`, 0 at the end, or minus the errno; ENOSYS where the C library has none.
   */
  readDirectory(fd: number, position: number, buffer: Uint8Array): number;
  /** malloc_trim(3): hands memory that is free to the kernel, of all threads. Does nothing where malloc is another one. */
  trim(): void;
  /**
   * madvise(2) with MADV_DONTNEED. What this process has written there is lost, so only for mappings of files in which it
   * has not: their pages come back from the file, or from the kernel's memory of it, when they are touched.
   */
  unmapPages(address: bigint, length: bigint): void;
}

export interface LibcOptions {
  /** Go without, as on Node 24, where `node:ffi` does not exist. */
  readonly disabled?: boolean;
}

/** The C library through `node:ffi` (Node 26), or undefined where that is not to be had. */
export function openLibc({ disabled = false }: LibcOptions = {}): Libc | undefined {
  if (disabled || process.arch === "ia32" || process.arch === "arm") return undefined; // size_t is not u64
  const ffi: Ffi | undefined = process.getBuiltinModule("node:ffi");
  if (ffi === undefined) return undefined;
  try {
    return bindLibc(ffi, "libc.so.6");
  } catch {
    return tryOwnSymbols(ffi);
  }
}

/** Musl's file name carries the architecture; Node's own image has its symbols under no name at all. */
function tryOwnSymbols(ffi: Ffi): Libc | undefined {
  try {
    return bindLibc(ffi, null);
  } catch {
    return undefined; // --permission without --allow-ffi, or a static build
  }
}

function bindLibc(ffi: Ffi, library: string | null): Libc {
  const { functions: c } = ffi.dlopen(library, SIGNATURES);
  const errnoAddress = c.__errno_location();
  const errno = () => ffi.getInt32(errnoAddress);
  const check = (syscall: string, result: number) => {
    if (result < 0) throw new SystemCallError(syscall, errno());
  };
  const pollNow = (pollfds: Uint8Array, count: number) => {
    const ready = c.poll(pollfds, BigInt(count), 0);
    return ready < 0 ? -errno() : ready;
  };
  return {
    read(fd, buffer) {
      const got = c.read(fd, buffer, BigInt(buffer.length));
      return got < 0n ? -errno() : Number(got);
    },
    write(fd, buffer) {
      const put = c.write(fd, buffer, BigInt(buffer.length));
      return put < 0n ? -errno() : Number(put);
    },
    netlinkSocket(protocol) {
      const fd = c.socket(AF_NETLINK, NETLINK_SOCKET_TYPE, protocol);
      check("socket", fd);
      return fd;
    },
    enterNetwork: (fd) => check("setns", c.setns(fd, CLONE_NEWNET)),
    pollSet: (fds) => new PollSet(fds, pollNow),
    watchReadable: (fds) => watchReadable(ffi, fds),
    mount: (source, target, type) => check("mount", c.mount(source, target, type, MS_NOTHING_RUNS, null)),
    umount: (target) => check("umount2", c.umount2(target, 0)),
    openByHandle(mountFd, handle) {
      const fd = c.open_by_handle_at(mountFd, handle, O_PATH_CLOEXEC);
      return fd < 0 ? -errno() : fd;
    },
    readDirectory: directoryReader(ffi, library, errno),
    trim: mallocTrim(ffi, library),
    unmapPages: (address, length) => check("madvise", c.madvise(address, length, MADV_DONTNEED)),
  };
}

function directoryReader(ffi: Ffi, library: string | null, errno: () => number): Libc["readDirectory"] {
  try {
    const { lseek, getdents64 } = ffi.dlopen(library, DIRECTORY_SIGNATURES).functions;
    return (fd, position, buffer) => {
      if (lseek(fd, BigInt(position), 0) < 0n) return -errno();
      const got = getdents64(fd, buffer, BigInt(buffer.length));
      return got < 0n ? -errno() : Number(got);
    };
  } catch {
    return () => -ENOSYS;
  }
}

/** Musl has none. */
function mallocTrim(ffi: Ffi, library: string | null): () => void {
  try {
    const { malloc_trim } = ffi.dlopen(library, GLIBC_SIGNATURES).functions;
    return () => void malloc_trim(0n);
  } catch {
    return () => {};
  }
}
