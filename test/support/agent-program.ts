import { ATTRIBUTES as KEYS } from "../../src/export/attributes.ts";
import { type End, Program, type ProgramOptions } from "./program.ts";
import { type Family, parsePrometheus } from "./prometheus-text.ts";

/** An event as the agent prints it with `--events json`. */
export type Row = Readonly<Record<string, unknown>>;

/** A line of the agent's own log. */
export interface LogLine {
  readonly level: string;
  readonly component: string;
  readonly msg: string;
}

/** Where its page is. */
const PAGE = /http:\/\/[^ ]+:\d+\//;

/** What a health check was told. */
export interface Told {
  readonly status: number;
  readonly lines: readonly string[];
}

/** The real `tcpretrans agent` as a child process, and what it says on standard output and on its port. */
export class AgentProgram implements AsyncDisposable {
  readonly program: Program;
  readonly startedMs = performance.now();

  /** It takes any free port unless the arguments name one, and events are JSON unless they say otherwise. */
  constructor(args: readonly string[], options?: ProgramOptions) {
    const defaults = ["--http-port", "0", "--events", "json", "--log-format", "json"];
    const given = defaults.filter((_, i) => !args.includes(defaults[i - (i % 2)] ?? ""));
    this.program = new Program(["agent", ...given, ...args], options);
  }

  /** Starts it and waits until it captures. */
  static async capturing(args: readonly string[], options?: ProgramOptions): Promise<AgentProgram> {
    await using undo = new AsyncDisposableStack();
    const agent = undo.use(new AgentProgram(args, options));
    await agent.captures();
    undo.move();
    return agent;
  }

  async captures(seconds = 20): Promise<void> {
    await this.says(/ runs on this node/, seconds);
    await this.says(PAGE, seconds);
  }

  get log(): readonly LogLine[] {
    return this.#objects.filter((line): line is Row & LogLine => "msg" in line);
  }

  get rows(): readonly Row[] {
    return this.#objects.filter((line) => KEYS.eventName in line);
  }

  /** Waits until its log has such a message. */
  async says(words: RegExp, seconds = 20): Promise<void> {
    await this.program.until(() => words.test(this.program.stdout), `says ${words}`, seconds);
  }

  /** Waits until a health check's answer is as wanted; gives it. */
  async told(path: "livez" | "readyz", isSo: (told: Told) => boolean, seconds = 20): Promise<Told> {
    const giveUp = performance.now() + seconds * 1000;
    for (;;) {
      const told = await this.ask(path);
      if (isSo(told)) return told;
      if (performance.now() > giveUp) throw new Error(`Never: ${path} says ${told.lines.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async ask(path: "livez" | "readyz"): Promise<Told> {
    await this.says(PAGE);
    const response = await fetch(this.url + path);
    return { status: response.status, lines: (await response.text()).trimEnd().split("\n") };
  }

  /** What a scrape gives; the second of two, for a series is 0 at its first. */
  async metrics(): Promise<readonly Family[]> {
    await this.#scrape();
    return parsePrometheus(await this.#scrape(), { openMetrics: false });
  }

  async #scrape(): Promise<string> {
    for (;;) {
      const response = await fetch(`${this.url}metrics`);
      const text = await response.text();
      if (response.status === 200) return text;
      // Asked too often.
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  get url(): string {
    const [url] = PAGE.exec(this.program.stdout) ?? [];
    if (url === undefined) throw new Error(`It has not said where its page is: ${this.program.stdout}`);
    return url;
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<End> {
    return await this.program.stop(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }

  get #objects(): readonly Row[] {
    return this.program.lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }
}

/** The sum of a counter's or gauge's samples that have these labels. */
export function sumOf(families: readonly Family[], name: string, labels: Row = {}): number {
  const family = families.find((each) => each.name === name);
  if (family === undefined) return 0;
  return family.samples
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Retransmits that were sent, loss probes that retransmitted among them. */
export function sentRows(rows: readonly Row[]): readonly Row[] {
  return rows.filter((row) => row[KEYS.outcome] === "sent");
}
