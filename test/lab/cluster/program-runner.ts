import { run } from "../run.ts";
import { Daemon } from "./daemon.ts";

/** A program to keep running. */
export interface RunOrder {
  readonly name: string;
  readonly args: readonly [string, ...string[]];
  readonly outFile: string;
  readonly errFile: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs programs on a node: on this machine, or in the virtual machine by its control. */
export interface ProgramRunner {
  /** Runs one to its end and gives its standard output; a failure throws. */
  exec(args: readonly [string, ...string[]]): Promise<string>;
  /** Gives the process's id on its machine. */
  start(order: RunOrder): Promise<number>;
  /** Ends one that was started. */
  stop(name: string, signal?: NodeJS.Signals): Promise<void>;
}

/** Runs programs on the machine that it is on. */
export class LocalRunner implements ProgramRunner {
  readonly #daemons = new Map<string, Daemon>();

  exec([program, ...args]: readonly [string, ...string[]]): Promise<string> {
    return run(program, args);
  }

  async start({ name, args, outFile, errFile, env }: RunOrder): Promise<number> {
    const redirected = ["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", outFile, ...args] as const;
    const all = { ...process.env, ...env };
    const daemon = Daemon.start(name, redirected, { logFile: errFile, env: all });
    this.#daemons.set(name, daemon);
    return daemon.pid;
  }

  async stop(name: string, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#daemons.get(name)?.stop(signal, 60_000);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#daemons.values()].map((daemon) => daemon.stop()));
  }
}
