import { readFileSync, statSync } from "node:fs";
import { promisify } from "node:util";
import type { Libc } from "../syscall/libc.ts";
import { type NetworkNamespace, readNamespaceInum } from "./network-namespaces.ts";
import { type CounterTexts, SetnsThread } from "./setns-thread.ts";
import { parseTcpCounters, type TcpCounters } from "./tcp-counters.ts";

/** The counters of one namespace, or why they could not be read. */
export type CounterReading =
  | {
      readonly kind: "read";
      readonly inum: number;
      readonly counters: TcpCounters;
      /** CLOCK_MONOTONIC just before and just after: the counters are those of some moment between. */
      readonly from: bigint;
      readonly until: bigint;
    }
  | { readonly kind: "unreadable"; readonly inum: number; readonly reason: string };

export interface NamespaceCounterReaderOptions {
  readonly procRoot: string;
  /** Undefined (Node 24): namespaces held only by a mount are read through `nsenter`. */
  readonly libc: Libc | undefined;
}

/**
 * Reads TCP counters of any network namespace of the host: through a process that is in it, else through its
 * mount by a worker thread that moves there (setns) or by `nsenter`. Dispose of it after a round of reads:
 * its worker costs about 10 MiB.
 */
export class NamespaceCounterReader implements AsyncDisposable {
  readonly #procRoot: string;
  readonly #libc: Libc | undefined;
  #worker: SetnsThread | undefined;

  constructor({ procRoot, libc }: NamespaceCounterReaderOptions) {
    this.#procRoot = procRoot;
    this.#libc = libc;
  }

  async read(namespace: NetworkNamespace): Promise<CounterReading> {
    const { inum } = namespace;
    try {
      const texts =
        namespace.kind === "process"
          ? this.#readThroughProcess(namespace.pid, inum)
          : await this.#readThroughMount(namespace.path, inum);
      const counters = parseTcpCounters(texts.snmp, texts.netstat);
      if (counters === undefined)
        return { kind: "unreadable", inum, reason: "the kernel shows no Tcp counters" };
      return { kind: "read", inum, counters, from: texts.from, until: texts.until };
    } catch (error) {
      return { kind: "unreadable", inum, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.[Symbol.asyncDispose]();
    this.#worker = undefined;
  }

  #readThroughProcess(pid: number, inum: number): CounterTexts {
    const from = process.hrtime.bigint();
    const snmp = readFileSync(`${this.#procRoot}/${pid}/net/snmp`, "latin1");
    const netstat = readFileSync(`${this.#procRoot}/${pid}/net/netstat`, "latin1");
    const until = process.hrtime.bigint();
    if (readNamespaceInum(pid, { procRoot: this.#procRoot }) !== inum) {
      throw new Error(`Cannot read counters: process ${pid} has left the namespace`);
    }
    return { snmp, netstat, from, until };
  }

  async #readThroughMount(path: string, inum: number): Promise<CounterTexts> {
    if (statSync(path).ino !== inum)
      throw new Error(`Cannot read counters: ${path} is another namespace now`);
    if (this.#libc === undefined) return await readThroughNsenter(path, this.#procRoot);
    this.#worker ??= new SetnsThread(this.#procRoot);
    return await this.#worker.readCounters(path);
  }
}

async function readThroughNsenter(path: string, procRoot: string): Promise<CounterTexts> {
  const files = [`${procRoot}/self/net/snmp`, `${procRoot}/self/net/netstat`];
  const from = process.hrtime.bigint();
  const { execFile } = process.getBuiltinModule("node:child_process"); // 3 MB that a trace does without
  const { stdout } = await promisify(execFile)("nsenter", [`--net=${path}`, "cat", ...files]);
  // The prefixes of the two files' lines differ, so one text serves as both.
  return { snmp: stdout, netstat: stdout, from, until: process.hrtime.bigint() };
}
