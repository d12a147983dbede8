import type { NAMESPACE_SIGNATURES } from "../syscall/libc.ts";

/** What the worker is asked to do in the namespace whose nsfs file is at `path`. */
export type SetnsRequest =
  /** Read its counters. */
  | { readonly kind: "counters"; readonly id: number; readonly path: string }
  /** Open a netlink socket: a descriptor is the whole process's, so that the main thread can use it. */
  | { readonly kind: "netlink"; readonly id: number; readonly path: string; readonly protocol: number };

/** What it answers; times are CLOCK_MONOTONIC nanoseconds just before and after the read. */
export type SetnsReply =
  | {
      readonly kind: "counters";
      readonly id: number;
      readonly snmp: string;
      readonly netstat: string;
      readonly from: bigint;
      readonly until: bigint;
    }
  | { readonly kind: "netlink"; readonly id: number; readonly fd: number }
  | { readonly kind: "refused"; readonly id: number; readonly reason: string };

/** What the worker is started with. */
export interface SetnsWorkerData {
  readonly procRoot: string;
  readonly signatures: typeof NAMESPACE_SIGNATURES;
}

/**
 * Source of the worker thread that moves between network namespaces, for `new Worker(…, { eval: true })`.
 * It is the text of a function and not a second file, because it must run from src/ and from inside the one
 * bundle alike, and because starting the whole bundle again in a thread would cost ten times the memory. So
 * the function may use nothing from outside itself; the signatures of its system calls come as its data.
 */
export const SETNS_WORKER_SOURCE = `(${setnsWorker.toString()})()`;

function setnsWorker(): void {
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  const { closeSync, openSync, readFileSync } = process.getBuiltinModule("node:fs");
  const ffi = process.getBuiltinModule("node:ffi");
  const { procRoot, signatures }: SetnsWorkerData = workerData;
  const CLONE_NEWNET = 0x40000000; // include/uapi/linux/sched.h
  const AF_NETLINK = 16; // include/linux/socket.h
  const NETLINK_SOCKET_TYPE = 0x80803; // SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK
  const thread = `${procRoot}/thread-self`;
  const { functions } = ffi.dlopen(null, signatures);

  const check = (syscall: string, result: number): number => {
    if (result >= 0) return result;
    throw new Error(`${syscall} says errno ${ffi.getInt32(functions.__errno_location())}`);
  };
  const withOpen = <T>(path: string, use: (fd: number) => T): T => {
    const fd = openSync(path, "r");
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  };
  const enter = (fd: number) => check("setns", functions.setns(fd, CLONE_NEWNET));
  const inside = <T>(path: string, use: () => T): T =>
    withOpen(`${thread}/ns/net`, (home) => {
      withOpen(path, enter);
      try {
        return use();
      } finally {
        // A thread that stayed would keep a deleted namespace alive.
        enter(home);
      }
    });
  const readCounters = (id: number): SetnsReply => {
    const from = process.hrtime.bigint();
    const snmp = readFileSync(`${thread}/net/snmp`, "latin1");
    const netstat = readFileSync(`${thread}/net/netstat`, "latin1");
    return { kind: "counters", id, snmp, netstat, from, until: process.hrtime.bigint() };
  };
  const openNetlink = (id: number, protocol: number): SetnsReply => {
    const fd = check("socket", functions.socket(AF_NETLINK, NETLINK_SOCKET_TYPE, protocol));
    return { kind: "netlink", id, fd };
  };

  parentPort?.on("message", (request: SetnsRequest) => {
    const { id, path } = request;
    try {
      const use = () => (request.kind === "counters" ? readCounters(id) : openNetlink(id, request.protocol));
      parentPort.postMessage(inside(path, use));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      parentPort.postMessage({ kind: "refused", id, reason } satisfies SetnsReply);
    }
  });
}
