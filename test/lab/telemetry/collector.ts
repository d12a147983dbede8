import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Daemon } from "../cluster/daemon.ts";
import { hostPort } from "../cluster/plan.ts";
import { until } from "../cluster/until.ts";
import { type CollectorSettings, collectorSettings } from "./collector-settings.ts";
import { type PrintedSpan, parsePrintedSpans } from "./printed-spans.ts";

/** A real OpenTelemetry Collector, which can be stopped for a while. */
export class Collector implements AsyncDisposable {
  readonly #command: readonly [string, ...string[]];
  readonly #logFile: string;
  readonly #settings: CollectorSettings;
  #daemon: Daemon | undefined;

  private constructor(program: string, dir: string, settings: CollectorSettings) {
    this.#command = [program, "--config", join(dir, "collector.json")];
    this.#logFile = join(dir, "collector.log");
    this.#settings = settings;
  }

  /** Starts it with its files in `dir`; it takes requests when this returns. */
  static async start(program: string, dir: string, settings: CollectorSettings): Promise<Collector> {
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, "collector.json"), JSON.stringify(collectorSettings(settings), undefined, 1));
    const collector = new Collector(program, dir, settings);
    await collector.up();
    return collector;
  }

  /** Starts it again. */
  async up(): Promise<void> {
    const daemon = Daemon.start("collector", this.#command, { logFile: this.#logFile });
    this.#daemon = daemon;
    const { host, plain } = this.#settings;
    const url = `http://${hostPort(host, plain.http)}/v1/logs`;
    const empty = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    await until("the Collector", async () => !daemon.running || (await fetch(url, empty)).ok);
    if (!daemon.running) throw new Error(`Cannot start the Collector: ${await daemon.lastWords()}`);
  }

  /** Ends it; what it has acknowledged has been forwarded. SIGKILL ends it as a crash does. */
  async down(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    await this.#daemon?.stop(signal, 20_000);
  }

  /** Every span in its own words; one that it got again is there again. */
  async printedSpans(): Promise<readonly PrintedSpan[]> {
    return parsePrintedSpans(await readFile(this.#logFile, "utf8"));
  }

  /** The last lines that it said. */
  async lastWords(): Promise<string> {
    return (await this.#daemon?.lastWords()) ?? "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }
}
