import { readFileSync, statSync } from "node:fs";
import { promisify } from "node:util";
import type { Libc } from "../syscall/libc.ts";
import { insideNetwork } from "./inside-network.ts";
import { type NetworkNamespace, readNamespaceInum } from "./network-namespaces.ts";
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

/** The counter files of a namespace, and CLOCK_MONOTONIC just before and after they were read. */
interface CounterTexts {
  readonly snmp: string;
  readonly netstat: string;
  readonly from: bigint;
  readonly until: bigint;
}

/**
 * Reads TCP counters of any network namespace of the host: through a process that is in it, else through its
 * mount, for which this thread goes in (setns), or by `nsenter`.
 */
export class NamespaceCounterReader {
  readonly #procRoot: string;
  readonly #libc: Libc | undefined;

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

  #readThroughProcess(pid: number, inum: number): CounterTexts {
    const texts = readTexts(`${this.#procRoot}/${pid}/net`);
    if (readNamespaceInum(pid, { procRoot: this.#procRoot }) !== inum) {
      throw new Error(`Cannot read counters: process ${pid} has left the namespace`);
    }
    return texts;
  }

  async #readThroughMount(path: string, inum: number): Promise<CounterTexts> {
    if (statSync(path).ino !== inum)
      throw new Error(`Cannot read counters: ${path} is another namespace now`);
    const [procRoot, libc] = [this.#procRoot, this.#libc];
    if (libc === undefined) return await readThroughNsenter(path, procRoot);
    return insideNetwork(path, () => readTexts(`${procRoot}/thread-self/net`), { procRoot, libc });
  }
}

function readTexts(net: string): CounterTexts {
  const from = process.hrtime.bigint();
  const snmp = readFileSync(`${net}/snmp`, "latin1");
  const netstat = readFileSync(`${net}/netstat`, "latin1");
  return { snmp, netstat, from, until: process.hrtime.bigint() };
}

async function readThroughNsenter(path: string, procRoot: string): Promise<CounterTexts> {
  const files = [`${procRoot}/self/net/snmp`, `${procRoot}/self/net/netstat`];
  const from = process.hrtime.bigint();
  const { execFile } = process.getBuiltinModule("node:child_process"); // 3 MB that a trace does without
  const { stdout } = await promisify(execFile)("nsenter", [`--net=${path}`, "cat", ...files]);
  // The prefixes of the two files' lines differ, so one text serves as both.
  return { snmp: stdout, netstat: stdout, from, until: process.hrtime.bigint() };
}
