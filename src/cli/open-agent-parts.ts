import { type BoundedOutput, openBoundedOutput } from "../agent/bounded-output.ts";
import { lineEntries, pinoEntries } from "../agent/log-writers.ts";
import { type OwnLog, openOwnLog } from "../agent/own-log.ts";
import { RecentEvents } from "../agent/recent-events.ts";
import type { Config } from "../config/config.ts";
import { RetransmitMetrics } from "../export/retransmit-metrics.ts";
import type { AgentHost } from "./agent.ts";
import { NO_EXPORTS } from "./agent-exports.ts";
import type { AgentParts } from "./agent-parts.ts";
import { ExportWatch } from "./export-watch.ts";
import { HttpRequests } from "./http-requests.ts";
import { sayLine } from "./output.ts";

/** Makes the parts that need nothing of the machine. */
export function openAgentParts(config: Config, { version, stdout, hostname }: AgentHost): AgentParts {
  const { metrics, resource, kubernetes } = config;
  // Without events it is the log's alone, whose bound is enough.
  const output = openBoundedOutput(
    stdout,
    config.events.output === "none" ? {} : { maxWaiting: EVENTS_BYTES },
  );
  const parts: AgentParts = {
    ...{ config, version, output },
    log: openLog(config, { stdout, output }),
    startedUnixMs: Date.now(),
    startedMs: performance.now(),
    metrics: new RetransmitMetrics({
      detail: metrics.detail,
      place: { node: kubernetes.nodeName ?? hostname, cluster: resource.clusterName },
      now: Date.now,
      exponential: metrics.histograms === "exponential",
      maxPerMetric: metrics.maxSeriesPerMetric,
      maxSeries: metrics.maxSeries,
      idleMs: metrics.idleSeconds * 1000,
    }),
    recent: new RecentEvents(),
    exportWatch: new ExportWatch(() => parts.exports),
    ticks: { count: 0, seconds: 0, lastMs: undefined },
    httpRequests: new HttpRequests(),
    exports: NO_EXPORTS,
    server: undefined,
    names: undefined,
    counters: undefined,
    capturing: undefined,
    refusal: undefined,
    shuttingDown: false,
  };
  return parts;
}

/** What may wait on standard output where events go there too: some 15,000 lines, so that a storm's burst finds room. */
const EVENTS_BYTES = 16 * 1024 * 1024;

/** The agent's own words: JSON on standard output, or lines beside it for a person. */
function openLog(
  { log: { level, format } }: Config,
  { stdout, output }: { readonly stdout: NodeJS.WriteStream; readonly output: BoundedOutput },
): OwnLog {
  const isJson = format === "json" || (format === "auto" && !stdout.isTTY);
  const entry = isJson
    ? pinoEntries({ write: output.write, unixMs: Date.now })
    : lineEntries({ write: (text) => sayLine(text.trimEnd()), color: process.stderr.isTTY });
  return openOwnLog({ level, entry, now: () => performance.now(), component: "agent" });
}
