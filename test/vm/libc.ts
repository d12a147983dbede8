import { dlopen, getInt32 } from "node:ffi";

/** include/uapi/linux/sched.h */
const CLONE_NEWNET = 0x40000000;

const { functions } = dlopen("libc.so.6", {
  // int setns(int fd, int nstype)
  setns: { arguments: ["i32", "i32"], return: "i32" },
  // int socket(int domain, int type, int protocol)
  socket: { arguments: ["i32", "i32", "i32"], return: "i32" },
  // int bind(int fd, const struct sockaddr *address, socklen_t length), and connect alike
  bind: { arguments: ["i32", "buffer", "u32"], return: "i32" },
  connect: { arguments: ["i32", "buffer", "u32"], return: "i32" },
  // int listen(int fd, int backlog)
  listen: { arguments: ["i32", "i32"], return: "i32" },
  // int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
  accept4: { arguments: ["i32", "pointer", "pointer", "i32"], return: "i32" },
  // ssize_t send(int fd, const void *buffer, size_t length, int flags), and recv alike
  send: { arguments: ["i32", "buffer", "u64", "i32"], return: "i64" },
  recv: { arguments: ["i32", "buffer", "u64", "i32"], return: "i64" },
  // int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
  setsockopt: { arguments: ["i32", "i32", "i32", "buffer", "u32"], return: "i32" },
  // int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
  getsockopt: { arguments: ["i32", "i32", "i32", "buffer", "buffer"], return: "i32" },
  // int *__errno_location(void)
  __errno_location: { arguments: [], return: "pointer" },
});

/** errno(3) names that the callers below look at. */
const EAGAIN = 11;
const EINPROGRESS = 115;

/** The socket calls that Node does not offer as they are. Nothing here waits; -1 stands for "not now". */
export const libc = {
  setns: (fd: number) => check("setns", functions.setns(fd, CLONE_NEWNET)),
  socket: (family: number, type: number) => check("socket", functions.socket(family, type, 0)),
  bind: (fd: number, address: Uint8Array) => check("bind", functions.bind(fd, address, address.length)),
  connect: (fd: number, address: Uint8Array) =>
    check("connect", functions.connect(fd, address, address.length)),
  listen: (fd: number) => check("listen", functions.listen(fd, 128)),
  accept: (fd: number, flags: number) => check("accept4", functions.accept4(fd, 0n, 0n, flags)),
  send: (fd: number, bytes: Uint8Array, flags: number) =>
    check("send", Number(functions.send(fd, bytes, BigInt(bytes.length), flags))),
  recv: (fd: number, bytes: Uint8Array, flags: number) =>
    check("recv", Number(functions.recv(fd, bytes, BigInt(bytes.length), flags))),
  setsockopt: (fd: number, level: number, name: number, value: Uint8Array) =>
    check("setsockopt", functions.setsockopt(fd, level, name, value, value.length)),
  getsockopt: (fd: number, level: number, name: number, value: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    return check("getsockopt", functions.getsockopt(fd, level, name, value, length));
  },
};

function check(call: string, result: number): number {
  if (result >= 0) return result;
  const errno = getInt32(functions.__errno_location());
  if (errno === EAGAIN || errno === EINPROGRESS) return -1;
  throw new Error(`Cannot ${call}: errno ${errno}`);
}
