import { closeSync } from "node:fs";

type Ffi = typeof import("node:ffi");

/** A wrong signature is a crash and not an exception: each stands beside its declaration, once. */
const SIGNATURES = {
  /** epoll_create1(2): int epoll_create1(int flags) */
  epoll_create1: { arguments: ["i32"], return: "i32" },
  /** epoll_ctl(2): int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event) */
  epoll_ctl: { arguments: ["i32", "i32", "i32", "buffer"], return: "i32" },
  /** calloc(3): void *calloc(size_t nmemb, size_t size) */
  calloc: { arguments: ["u64", "u64"], return: "pointer" },
  /** libuv: size_t uv_handle_size(uv_handle_type type) */
  uv_handle_size: { arguments: ["i32"], return: "u64" },
  /** libuv: int uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd) */
  uv_poll_init: { arguments: ["pointer", "pointer", "i32"], return: "i32" },
  /** libuv: int uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb cb) */
  uv_poll_start: { arguments: ["pointer", "i32", "pointer"], return: "i32" },
  /** libuv: int uv_poll_stop(uv_poll_t *handle) */
  uv_poll_stop: { arguments: ["pointer"], return: "i32" },
  /** libuv: void uv_unref(uv_handle_t *handle) */
  uv_unref: { arguments: ["pointer"], return: "void" },
  /** libuv: void uv_close(uv_handle_t *handle, uv_close_cb close_cb) */
  uv_close: { arguments: ["pointer", "pointer"], return: "void" },
} as const;

/** libuv: void (*uv_poll_cb)(uv_poll_t *handle, int status, int events) */
const POLL_CALLBACK = { arguments: ["pointer", "i32", "i32"], return: "void" } as const;

/** libuv's uv.h: UV_POLL of uv_handle_type, UV_READABLE of uv_poll_event. */
const UV_POLL = 8;
const UV_READABLE = 1;

/** include/uapi/linux/eventpoll.h; EPOLL_CLOEXEC is O_CLOEXEC, the same on every architecture that Node runs on. */
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;

/** Descriptors that wake the event loop up when they have something to read. */
export interface ReadableWatch extends Disposable {
  /** Has `ready` called once, when one of them has something: soon, where one has already. Again takes another call. */
  arm(ready: () => void): void;
}

/**
 * Has Node's own event loop wait for descriptors that it would not take by itself, as files of tracefs: by libuv's
 * uv_poll on an epoll of them all. Undefined where that cannot be had: a libuv that is not exported, a file that cannot be
 * waited for.
 */
export function watchReadable(ffi: Ffi, fds: readonly number[]): ReadableWatch | undefined {
  try {
    return openWatch(ffi, fds);
  } catch {
    return undefined;
  }
}

function openWatch(ffi: Ffi, fds: readonly number[]): ReadableWatch | undefined {
  const { lib, functions: c } = ffi.dlopen(null, SIGNATURES);
  const free = lib.getSymbol("free");
  const epoll = c.epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return undefined;
  const all = fds.every((fd) => c.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, epollEvent()) === 0);
  const handle = c.calloc(1n, c.uv_handle_size(UV_POLL));
  if (!all || handle === 0n || c.uv_poll_init(ffi.getCurrentEventLoop(), handle, epoll) !== 0) {
    closeSync(epoll); // what calloc gave is lost once
    return undefined;
  }
  c.uv_unref(handle); // a wait keeps nothing alive
  let ready = () => {};
  const callback = lib.registerCallback(POLL_CALLBACK, () => {
    c.uv_poll_stop(handle);
    setImmediate(ready); // in here promises would not run, and nothing may be thrown
  });
  return {
    arm(call) {
      ready = call;
      c.uv_poll_start(handle, UV_READABLE, callback);
    },
    [Symbol.dispose]() {
      c.uv_poll_stop(handle);
      c.uv_close(handle, free); // libuv has it until its next turn
      lib.unregisterCallback(callback);
      closeSync(epoll);
    },
  };
}

/** `struct epoll_event` is 12 bytes where it is packed (x86-64), 16 elsewhere; `events` comes first, and nobody reads the rest. */
function epollEvent(): Uint8Array {
  const memory = new ArrayBuffer(16);
  new Uint32Array(memory)[0] = EPOLLIN;
  return new Uint8Array(memory);
}
