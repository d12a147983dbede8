import { closeSync, openSync } from "node:fs";
import type { Libc } from "../syscall/libc.ts";

export interface InsideNetworkOptions {
  readonly procRoot: string;
  readonly libc: Libc;
}

/**
 * Does something in the network namespace of an nsfs file: this thread moves there and back, within one turn of the event
 * loop, so that nothing else of it runs in there. Throws what the kernel refuses; entering needs CAP_SYS_ADMIN.
 */
export function insideNetwork<T>(path: string, use: () => T, { procRoot, libc }: InsideNetworkOptions): T {
  return withOpen(`${procRoot}/thread-self/ns/net`, (home) =>
    withOpen(path, (there) => {
      libc.enterNetwork(home); // whether the way back is allowed is known before this one is taken
      libc.enterNetwork(there);
      try {
        return use();
      } finally {
        comeHome(libc, home);
      }
    }),
  );
}

/** The main thread must not stay: all of its sockets would be another pod's. */
function comeHome(libc: Libc, home: number): void {
  try {
    libc.enterNetwork(home);
  } catch {
    process.abort();
  }
}

function withOpen<T>(path: string, use: (fd: number) => T): T {
  const fd = openSync(path, "r");
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
