import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Rules that build on others need the others' series: as many passes as the longest chain has rules. */
const PASSES = 3;

export interface HistoryOptions {
  readonly prometheus: string;
  readonly promtool: string;
  /** OpenMetrics with times. */
  readonly history: string;
  /** Unix times in seconds of its first and last samples. */
  readonly start: number;
  readonly end: number;
  /** Recording rules, run over all of it. */
  readonly rules: string;
}

/** A Prometheus on loopback that holds a history. */
export interface HistoryServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts a Prometheus with a history and what recording rules make of it. */
export async function serveHistory(options: HistoryOptions): Promise<HistoryServer> {
  const { promtool, history, start, end, rules } = options;
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "tcpretrans-history-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const blocks = join(directory, "data");
  const input = join(directory, "history.om");
  await writeFile(input, history);
  await writeFile(join(directory, "prometheus.yml"), "global: { scrape_interval: 30s }\n");
  await run(promtool, ["tsdb", "create-blocks-from", "openmetrics", input, blocks], { maxBuffer: 1 << 26 });
  for (let pass = 0; pass < PASSES; pass++) {
    await using server = await startPrometheus(options.prometheus, directory);
    const times = ["--start", String(start), "--end", String(end), "--eval-interval", "30s"];
    const where = ["--url", server.url, "--output-dir", blocks];
    await run(promtool, ["tsdb", "create-blocks-from", "rules", ...times, ...where, rules], {
      maxBuffer: 1 << 26,
    });
  }
  const server = stack.use(await startPrometheus(options.prometheus, directory));
  const owned = stack.move();
  return { url: server.url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startPrometheus(program: string, directory: string): Promise<HistoryServer> {
  const child = spawn(
    program,
    [
      `--config.file=${join(directory, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      "--storage.tsdb.retention.time=30d",
      "--web.listen-address=127.0.0.1:0",
      "--log.format=json",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const exited = once(child, "exit");
  const said: string[] = [];
  let url: string | undefined;
  let isReady = false;
  for await (const line of createInterface(child.stderr)) {
    said.push(line);
    const { msg, address } = JSON.parse(line) as { readonly msg: string; readonly address?: string };
    if (msg === "Listening on") url = `http://${address}`;
    if (msg === "Server is ready to receive web requests.") isReady = true;
    if (url !== undefined && isReady) break;
  }
  child.stderr.resume();
  if (url === undefined || !isReady) {
    child.kill();
    await exited;
    throw new Error(`Cannot start Prometheus: ${said.slice(-5).join("\n")}`);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}
