import { type ChildProcess, spawn } from "node:child_process";
import { fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { run } from "../lab/run.ts";
import { libc } from "./libc.ts";

const home = openSync("/proc/self/ns/net", "r");

/** Counters of a network namespace by the kernel's own names, as in /proc/net/snmp ("Tcp:") and netstat ("TcpExt:"). */
export type Counters = Readonly<Record<string, number>>;

/** A network namespace that no process lives in: this one steps in for as long as a call takes. */
export class Namespace {
  readonly name: string;
  readonly inum: number;
  readonly #fd: number;

  /** Of the namespace `name`, which `ip netns add` has made. */
  constructor(name: string) {
    this.name = name;
    this.#fd = openSync(`/run/netns/${name}`, "r");
    this.inum = fstatSync(this.#fd).ino;
  }

  /** Runs `step` with this thread in the namespace; it must not wait for anything. */
  within<T>(step: () => T): T {
    libc.setns(this.#fd);
    try {
      return step();
    } finally {
      libc.setns(home);
    }
  }

  /** Runs a program in the namespace to its end. */
  run(program: string, args: string, input?: string): Promise<string> {
    return this.within(() => run(program, args.split(" "), input === undefined ? {} : { input }));
  }

  /** Starts a program in the namespace. */
  start(program: string, args: readonly string[]): ChildProcess {
    return this.within(() => spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] }));
  }

  /** Sets a sysctl under /proc/sys/net. */
  set(path: string, value: number): void {
    this.within(() => writeFileSync(`/proc/sys/net/${path}`, String(value)));
  }

  counters(): Counters {
    const files = ["snmp", "netstat"];
    const texts = this.within(() =>
      files.map((file) => readFileSync(`/proc/thread-self/net/${file}`, "latin1")),
    );
    return parseCounters(texts.join(""));
  }
}

/** Pairs of lines with the same first word: the names, then the values. */
function parseCounters(text: string): Counters {
  const counters: Record<string, number> = {};
  const lines = text.split("\n").filter((line) => /^Tcp(Ext)?:/.test(line));
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const values = lines[i + 1]!.split(" ");
    for (const [column, name] of lines[i]!.split(" ").entries()) counters[name] = Number(values[column]);
  }
  return counters;
}
