/** What the worker is asked: read the counters of the namespace mounted at `path`. */
export interface SetnsRequest {
  readonly id: number;
  readonly path: string;
}

/** What it answers; times are CLOCK_MONOTONIC nanoseconds just before and after the read. */
export type SetnsReply =
  | {
      readonly kind: "read";
      readonly id: number;
      readonly snmp: string;
      readonly netstat: string;
      readonly from: bigint;
      readonly until: bigint;
    }
  | { readonly kind: "refused"; readonly id: number; readonly reason: string };

/**
 * Source of the worker thread that moves between network namespaces, for `new Worker(…, { eval: true })`.
 * It is the text of a function and not a second file, because it must run from src/ and from inside the one
 * bundle alike, and because starting the whole bundle again in a thread would cost ten times the memory. So
 * the function may use nothing from outside itself, which is also why it declares setns(2) once more.
 */
export const SETNS_WORKER_SOURCE = `(${setnsWorker.toString()})()`;

function setnsWorker(): void {
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  const { closeSync, openSync, readFileSync } = process.getBuiltinModule("node:fs");
  const ffi = process.getBuiltinModule("node:ffi");
  const CLONE_NEWNET = 0x40000000; // include/uapi/linux/sched.h
  const thread = `${workerData.procRoot}/thread-self`;
  const { functions } = ffi.dlopen(null, {
    // setns(2): int setns(int fd, int nstype)
    setns: { arguments: ["i32", "i32"], return: "i32" },
    // errno(3) of this thread: int *__errno_location(void)
    __errno_location: { arguments: [], return: "pointer" },
  });

  const enter = (fd: number): void => {
    if (functions.setns(fd, CLONE_NEWNET) === 0) return;
    throw new Error(`setns says errno ${ffi.getInt32(functions.__errno_location())}`);
  };
  const withOpen = <T>(path: string, use: (fd: number) => T): T => {
    const fd = openSync(path, "r");
    try {
      return use(fd);
    } finally {
      closeSync(fd);
    }
  };
  const readCounters = ({ id, path }: SetnsRequest): SetnsReply =>
    withOpen(`${thread}/ns/net`, (home) => {
      withOpen(path, enter);
      try {
        const from = process.hrtime.bigint();
        const snmp = readFileSync(`${thread}/net/snmp`, "latin1");
        const netstat = readFileSync(`${thread}/net/netstat`, "latin1");
        return { kind: "read", id, snmp, netstat, from, until: process.hrtime.bigint() };
      } finally {
        // A thread that stayed would keep a deleted namespace alive.
        enter(home);
      }
    });

  parentPort?.on("message", (request: SetnsRequest) => {
    try {
      parentPort.postMessage(readCounters(request));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      parentPort.postMessage({ kind: "refused", id: request.id, reason } satisfies SetnsReply);
    }
  });
}
