import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Where the program under test is: the bundle, as users run it. */
export const TCPRETRANS = join(import.meta.dirname, "../../bin/tcpretrans");

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** A command to run it through, such as `setpriv` with its options. */
  readonly through?: readonly string[];
  /** Another copy of the program. */
  readonly path?: string;
  /** File descriptors for standard output and error, instead of pipes. */
  readonly stdout?: number | "pipe";
}

/** How a program ended. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The real program as a child process on the Node that runs the tests; disposing it kills what still runs. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<End>;
  stdout = "";
  stderr = "";

  constructor(
    args: readonly string[],
    { env = {}, through = [], stdout = "pipe", path = TCPRETRANS }: ProgramOptions = {},
  ) {
    const [command = path, ...rest] = [...through, path, ...args];
    this.child = spawn(command, rest, {
      env: { ...process.env, TCPRETRANS_NODE: process.execPath, ...env },
      stdio: ["ignore", stdout, "pipe"],
    });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    const { promise, resolve } = Promise.withResolvers<End>();
    this.child.on("close", (code, signal) => resolve({ code, signal }));
    this.ended = promise;
  }

  /** Lines of standard output. */
  get lines(): readonly string[] {
    return this.stdout.split("\n").slice(0, -1);
  }

  /** Starts it and waits until it captures. */
  static async tracing(args: readonly string[], options?: ProgramOptions): Promise<Program> {
    await using undo = new AsyncDisposableStack();
    const program = undo.use(new Program(args, options));
    await program.says(/^(Tracing|Recording) .*\n/m);
    undo.move();
    return program;
  }

  /** Waits until standard error matches; throws what it said instead when it ends or 20 s have passed. */
  async says(words: RegExp, seconds = 20): Promise<void> {
    await this.until(() => words.test(this.stderr), `says ${words}`, seconds);
  }

  /** Waits until something is so; throws when the program ends first or the time has passed. */
  async until(isSo: () => boolean, what: string, seconds = 20): Promise<void> {
    let over = false;
    void this.ended.then(() => (over = true));
    for (const end = performance.now() + seconds * 1000; !isSo(); await sleep(20)) {
      if (over || performance.now() > end) throw new Error(`Never ${what}; it said ${this.stderr}`);
    }
  }

  /** Ends it by a signal and waits until it has. */
  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<End> {
    this.child.kill(signal);
    return await this.ended;
  }

  /** Path of its tracefs instance, by the file that it holds open there. */
  get instance(): string {
    const path = findInstance(this.child.pid ?? 0);
    if (path === undefined) throw new Error(`Cannot find an instance: ${this.stderr}`);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** The tracefs instance that a process holds open, if any. */
export function findInstance(pid: number): string | undefined {
  const directory = `/proc/${pid}/fd`;
  for (const fd of openFiles(directory)) {
    try {
      const path = readlinkSync(join(directory, fd));
      if (path.endsWith("/free_buffer")) return path.slice(0, -"/free_buffer".length);
    } catch {
      // Closed meanwhile.
    }
  }
  return undefined;
}

function openFiles(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // The process has ended.
  }
}
