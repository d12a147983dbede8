import { joinMetricSources } from "../export/metric-sources.ts";
import { SelfMetrics } from "../export/self-metrics.ts";
import { isInPod } from "./agent-capture.ts";
import { openExports } from "./agent-exports.ts";
import type { AgentCommand } from "./agent-options.ts";
import type { AgentParts } from "./agent-parts.ts";
import { agentReadings } from "./agent-readings.ts";
import { runUntil } from "./agent-run.ts";
import { serveAgent } from "./agent-server.ts";
import { startDemo } from "./demo.ts";
import { openNames } from "./event-names.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { openGrace } from "./grace.ts";
import type { NamingSession } from "./naming-session.ts";
import { openAgentParts } from "./open-agent-parts.ts";
import { ownPod } from "./pod-follower.ts";
import { requireProc } from "./require-proc.ts";
import { welcome } from "./welcome.ts";

/** What the process gives the agent. */
export interface AgentHost {
  readonly stdout: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly hostname: string;
  readonly version: string;
  /** The file that runs, for the demonstration's children. */
  readonly main: string;
  /** Do without node:ffi, as on Node 24. */
  readonly noFfi: boolean;
}

/** How it is ended from outside: by a first signal, and by another that does not want to wait. */
export interface AgentEnding {
  readonly signal: AbortSignal;
  readonly hurry: AbortSignal;
}

/**
 * Runs on a node until it is told to end; gives the exit code. Starts with what tells of it, ends with it: port, names,
 * exports, probes; then what is left is taken, the probes are removed, and all is sent, metrics last.
 */
export async function runAgent(command: AgentCommand, host: AgentHost, ending: AgentEnding): Promise<number> {
  const { config, warnings } = command;
  const { signal } = ending;
  requireProc(config.host.procPath);
  const { graceSeconds } = config.shutdown;
  const grace = openGrace(ending, graceSeconds * 1000);
  const parts = openAgentParts(config, host);
  signal.addEventListener("abort", () => parts.log.info(endingWords(graceSeconds)), { once: true });
  for (const warning of warnings) parts.log.warn(warning);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => {
    parts.log.end();
    return grace.within(1, parts.output.drained(grace.leftMs()));
  });
  const metrics = agentMetrics(parts, host);
  if (config.http.enabled) parts.server = undo.use(await serveAgent(parts, metrics));
  const demo = config.demo ? await startDemo({ node: process.execPath, main: host.main, signal }) : undefined;
  if (demo !== undefined) parts.log.info(undo.use(demo).describe());
  parts.names = await openAgentNames(parts, host, ending);
  if (parts.names !== undefined) undo.use(parts.names);
  parts.exports = await openExports({
    ...{ config, metrics, version: host.version, env: host.env, log: parts.log },
    podOf: (uid) => parts.names && ownPod(uid, parts.names),
  });
  undo.defer(async () => {
    await grace.within(1, parts.exports.close(grace.leftMs()));
    parts.exports.tellLost();
  });
  await runUntil(ending, { parts, host, grace, capturing: () => welcome(parts, host.hostname) });
  return EXIT_CODES.ok.code;
}

function endingWords(graceSeconds: number): string {
  return `Ending: takes what was recorded, removes the probes and sends what waits, within ${graceSeconds} s; a second signal ends it at once`;
}

/** Of retransmits and of the agent itself. */
function agentMetrics(parts: AgentParts, { hostname }: AgentHost) {
  const { config, startedUnixMs: startUnixMs } = parts;
  const place = { node: config.kubernetes.nodeName ?? hostname, cluster: config.resource.clusterName };
  return joinMetricSources([
    parts.metrics,
    new SelfMetrics({ place, startUnixMs, readings: agentReadings(parts) }),
  ]);
}

async function openAgentNames(
  { config, log, version }: AgentParts,
  host: AgentHost,
  { signal }: AgentEnding,
): Promise<NamingSession | undefined> {
  const { enabled, kubeconfig } = config.kubernetes;
  const isWanted = enabled === "auto" ? kubeconfig !== undefined || isInPod(host) : enabled;
  if (!isWanted) return undefined;
  const say = (line: string) => log.as("names").warn(line);
  return await openNames({ naming: config, version, noFfi: host.noFfi }, { say, signal });
}
