import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Daemon } from "../cluster/daemon.ts";
import { hostPort } from "../cluster/plan.ts";
import { until } from "../cluster/until.ts";

export interface PrometheusSettings {
  readonly host: string;
  readonly port: number;
  readonly scrapeSeconds: number;
  /** What is scraped, by job. */
  readonly scrapes: Readonly<Record<string, Scrape>>;
  /** Files with rules, `*` allowed. */
  readonly ruleFiles?: readonly string[];
}

export interface Scrape {
  /** `host:port` of each. */
  readonly targets: readonly string[];
  /** The one format that is asked for; else Prometheus chooses. */
  readonly protocol?: "PrometheusText0.0.4" | "OpenMetricsText1.0.0";
}

/** Labels of a series; its name is `__name__`. */
export type Labels = Readonly<Record<string, string>>;

/** A series and its values, oldest first, at Unix times in seconds. */
export interface SeriesValues {
  readonly labels: Labels;
  readonly values: readonly (readonly [unixSeconds: number, value: number])[];
}

/** A series that has no newer point is not there. Prometheus's own 5 minutes would show a dead pod's for so long. */
const LOOKBACK = "15s";

/** A real Prometheus with its OTLP receiver on. */
export class Prometheus implements AsyncDisposable {
  readonly url: string;
  readonly #daemon: Daemon;

  private constructor(daemon: Daemon, url: string) {
    this.#daemon = daemon;
    this.url = url;
  }

  /** Starts it with its files in `dir`; it answers queries when this returns. */
  static async start(program: string, dir: string, settings: PrometheusSettings): Promise<Prometheus> {
    await mkdir(dir, { recursive: true });
    const configFile = join(dir, "prometheus.json");
    await writeFile(configFile, JSON.stringify(configuration(settings), undefined, 1));
    const address = hostPort(settings.host, settings.port);
    const flags = {
      "config.file": configFile,
      "storage.tsdb.path": join(dir, "prometheus"),
      "web.listen-address": address,
      "log.level": "warn",
      "query.lookback-delta": LOOKBACK,
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const command = [program, ...args, "--web.enable-otlp-receiver", "--web.enable-lifecycle"] as const;
    const daemon = Daemon.start("prometheus", command, { logFile: join(dir, "prometheus.log") });
    const url = `http://${address}`;
    await until("Prometheus", async () => !daemon.running || (await fetch(`${url}/-/ready`)).ok);
    if (!daemon.running) throw new Error(`Cannot start Prometheus: ${await daemon.lastWords()}`);
    return new Prometheus(daemon, url);
  }

  /** The newest value of each series of an instant query. */
  async query(promql: string): Promise<readonly { readonly labels: Labels; readonly value: number }[]> {
    const { result } = await this.#ask("query", { query: promql });
    return result.map(({ metric, value: [, text] = [0, ""] }) => ({ labels: metric, value: Number(text) }));
  }

  /** The raw samples of the last seconds of each series that a selector chooses. */
  async samples(selector: string, seconds: number): Promise<readonly SeriesValues[]> {
    const { result } = await this.#ask("query", { query: `${selector}[${seconds}s]` });
    return result.map(({ metric, values = [] }) => ({
      labels: metric,
      values: values.map(([time, text]) => [time, Number(text)] as const),
    }));
  }

  /** The last lines that it said. */
  lastWords(): Promise<string> {
    return this.#daemon.lastWords();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
  }

  async #ask(path: string, parameters: Readonly<Record<string, string>>): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1/${path}?${new URLSearchParams(parameters)}`);
    const answer = (await response.json()) as { status: string; error?: string; data: Answer };
    if (answer.status === "success") return answer.data;
    throw new Error(`Cannot query ${JSON.stringify(parameters)}: ${answer.error}`);
  }
}

type Point = readonly [unixSeconds: number, value: string];

interface Answer {
  readonly result: readonly {
    readonly metric: Labels;
    readonly value?: Point;
    readonly values?: readonly Point[];
  }[];
}

function configuration({ scrapeSeconds, scrapes, ruleFiles = [] }: PrometheusSettings): object {
  const interval = `${scrapeSeconds}s`;
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ruleFiles,
    scrape_configs: Object.entries(scrapes).map(([job_name, { targets, protocol }]) => ({
      job_name,
      static_configs: [{ targets }],
      ...(protocol && { scrape_protocols: [protocol] }),
    })),
  };
}
