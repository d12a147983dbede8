import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** A program that runs until it is ended; what it says goes to a file. */
export class Daemon {
  /** None outlives this process. */
  static readonly #running = new Set<ChildProcess>();
  static {
    process.once("exit", () => {
      for (const child of Daemon.#running) child.kill("SIGKILL");
    });
  }

  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #ended = Promise.withResolvers<void>();

  private constructor(name: string, logFile: string, child: ChildProcess) {
    this.name = name;
    this.logFile = logFile;
    this.#child = child;
    Daemon.#running.add(child);
    child.on("error", () => this.#ended.resolve());
    child.on("close", () => {
      Daemon.#running.delete(child);
      this.#ended.resolve();
    });
  }

  static start(
    name: string,
    [program, ...args]: readonly [string, ...string[]],
    { logFile, env = process.env }: { readonly logFile: string; readonly env?: NodeJS.ProcessEnv },
  ): Daemon {
    const log = openSync(logFile, "a");
    const child = spawn(program, args, { stdio: ["ignore", log, log], env });
    closeSync(log);
    return new Daemon(name, logFile, child);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`Cannot start ${this.name}`);
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Asks it to end, and insists after `patienceMs`. */
  async stop(signal: NodeJS.Signals = "SIGTERM", patienceMs = 5_000): Promise<void> {
    if (!this.running) return;
    const inside = childOfNsenter(this.pid);
    if (inside === undefined) this.#child.kill(signal);
    else process.kill(inside, signal);
    const late = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    await this.#ended.promise;
    clearTimeout(late);
  }

  /** The last lines that it said, for a complaint. */
  async lastWords(lines = 15): Promise<string> {
    const text = await readFile(this.logFile, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-lines).join("\n");
  }
}

/** What nsenter runs in a pid namespace, which takes a child: it hands no signal on, and ends with it. */
function childOfNsenter(pid: number): number | undefined {
  try {
    if (readFileSync(`/proc/${pid}/comm`, "utf8") !== "nsenter\n") return undefined;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")) || undefined;
  } catch {
    return undefined; // it ends just now
  }
}
