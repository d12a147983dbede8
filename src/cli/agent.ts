import { setTimeout as sleep } from "node:timers/promises";
import { type HealthServer, startHealthServer } from "../agent/health-server.ts";
import { pump } from "../agent/pump.ts";
import { liveness, readiness, readinessLines } from "../agent/readiness.ts";
import type { Config } from "../config/config.ts";
import { joinMetricSources } from "../export/metric-sources.ts";
import { formatPage } from "../export/page.ts";
import { formatPrometheus } from "../export/prometheus-text.ts";
import { SelfMetrics } from "../export/self-metrics.ts";
import { openLibc } from "../syscall/libc.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { openExports } from "./agent-exports.ts";
import type { AgentCommand } from "./agent-options.ts";
import { pageModel } from "./agent-page.ts";
import type { AgentParts } from "./agent-parts.ts";
import { agentPipeline } from "./agent-pipeline.ts";
import { agentReadings } from "./agent-readings.ts";
import { agentState } from "./agent-state.ts";
import { startDemo } from "./demo.ts";
import { openNames } from "./event-names.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { livePipeline } from "./live-pipeline.ts";
import { sightOfSession } from "./live-verify.ts";
import { NodeCounters } from "./node-counters.ts";
import { openAgentParts } from "./open-agent-parts.ts";
import { podFollower } from "./pod-follower.ts";
import { openSession, type Session } from "./session.ts";
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

/** From one try to capture to the next, where the machine does not let it. */
const RETRY_MS = 60_000;
const EXPIRE_EVERY = 5;

/**
 * Runs on a node until it is told to end; gives the exit code. Starts with what tells of it, ends with it: port, names,
 * exports, probes; then what is left is taken, sent, metrics last, and the probes are removed.
 */
export async function runAgent(command: AgentCommand, host: AgentHost, ending: AgentEnding): Promise<number> {
  const { config, warnings } = command;
  const parts = openAgentParts(config, host);
  for (const warning of warnings) parts.log.warn(warning);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => parts.log.end());
  const metrics = joinMetricSources([
    parts.metrics,
    new SelfMetrics({
      place: { node: config.kubernetes.nodeName ?? host.hostname, cluster: config.resource.clusterName },
      startUnixMs: parts.startedUnixMs,
      readings: agentReadings(parts),
    }),
  ]);
  if (config.http.enabled) parts.server = undo.use(await serve(parts, metrics));
  if (config.demo) {
    const demo = undo.use(
      await startDemo({ node: process.execPath, main: host.main, signal: ending.signal }),
    );
    parts.log.info(demo.describe());
  }
  parts.names = await openAgentNames(parts, host, ending);
  if (parts.names !== undefined) undo.use(parts.names);
  parts.exports = await openExports({
    ...{ config, metrics, version: host.version, env: host.env, log: parts.log },
    podOf: (uid) => parts.names?.watch.index.podByUid(uid),
  });
  using session = await openCapture(parts, host, ending);
  welcome(parts, parts.server?.url);
  await runUntil(ending, { parts, session, host });
  parts.shuttingDown = true;
  const closing = parts.exports.close(config.shutdown.graceSeconds * 1000);
  await Promise.race([closing, aborted(ending.hurry)]);
  return EXIT_CODES.ok.code;
}

interface Running {
  readonly parts: AgentParts;
  /** Undefined where nothing can be captured: then the kernel's counters of each pod are all there is. */
  readonly session: Session | undefined;
  readonly host: AgentHost;
}

/** Lets the data path run until the end is asked for and all that was recorded by then is through it. */
async function runUntil(ending: AgentEnding, { parts, session, host }: Running): Promise<void> {
  const { config, names } = parts;
  const live = session && livePipeline(session, { synAckTimer: (timer) => counters.observe(timer) });
  const counters = new NodeCounters({
    procRoot: config.host.procPath,
    libc: session?.libc ?? openLibc({ disabled: host.noFfi }),
    capture: session &&
      live && {
        sight: sightOfSession(session),
        settle: () => live.settled.settle(),
        epochNanos: session.source.epochNanos,
      },
    podOf: (netns) => {
      const space = names?.host.namespace(netns);
      return space?.kind === "pod" ? names?.watch.index.podByUid(space.podUid)?.uid : undefined;
    },
    podCounters: (uid, reading) => parts.metrics.podCounters(uid, reading),
  });
  parts.counters = counters;
  const everySecond = secondHand(parts);
  session?.onSecond.add(everySecond);
  const timer = session === undefined ? setInterval(everySecond, 1000) : undefined;
  const pumping = session && live && pump(agentPipeline(parts, { session, live, counters, host }));
  const following = counters.follow(ending.signal);
  await Promise.race([aborted(ending.signal), pumping ?? new Promise(() => {})]);
  clearInterval(timer);
  await Promise.race([following.then(() => counters.read()), aborted(ending.hurry)]);
  session?.source.stop();
  await pumping;
}

/** Once a second: what is new on the node, what is over, and what is said again. */
function secondHand(parts: AgentParts): () => void {
  const followPods = podFollower(parts);
  let seconds = 0;
  return () => {
    followPods();
    parts.exportWatch.look(Date.now());
    parts.log.remind();
    if (++seconds % EXPIRE_EVERY === 0) parts.metrics.expire(Date.now());
  };
}

/** Installs the probes. A pod that may not stays, says why on its port, and tries again; elsewhere it is thrown. */
async function openCapture(
  parts: AgentParts,
  host: AgentHost,
  { signal }: AgentEnding,
): Promise<Session | undefined> {
  const { config, log } = parts;
  for (;;) {
    try {
      const session = await openSession({
        ...{ rung: config.capture.probe, stacks: false, names: "causes", noFfi: host.noFfi },
        bufferSizeKb: config.capture.bufferSizeKb,
        say: (line) => log.as("capture").warn(line),
        tracefsPath: config.host.tracefsPath,
      });
      parts.refusal = undefined;
      return session;
    } catch (error) {
      if (!(error instanceof SetupError) || !isInPod(host)) throw error;
      parts.refusal = error;
      log.error(`${error.message}. ${error.remedy}`);
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return undefined;
    }
  }
}

async function openAgentNames(
  { config, log, version }: AgentParts,
  host: AgentHost,
  { signal }: AgentEnding,
) {
  if (!wantsNames(config, host)) return undefined;
  const say = (line: string) => log.as("names").warn(line);
  return await openNames({ naming: config, version, noFfi: host.noFfi }, { say, signal });
}

function wantsNames({ kubernetes: { enabled, kubeconfig } }: Config, host: AgentHost): boolean {
  return enabled === "auto" ? kubeconfig !== undefined || isInPod(host) : enabled;
}

/** As Kubernetes tells its pods. */
function isInPod({ env }: AgentHost): boolean {
  return Boolean(env["KUBERNETES_SERVICE_HOST"]);
}

/** The port's four answers. */
async function serve(
  parts: AgentParts,
  metrics: ReturnType<typeof joinMetricSources>,
): Promise<HealthServer> {
  const { host, port } = parts.config.http;
  const sources = parts.httpRequests.counted({
    live: () => liveness(agentState(parts)),
    ready: () => {
      const { ok, parts: lines } = readiness(agentState(parts));
      return { ok, lines: readinessLines(lines) };
    },
    metrics: ({ openMetrics, reader }) =>
      formatPrometheus(metrics.collect(Date.now(), reader), { openMetrics }),
    page: (search) => formatPage(pageModel(parts, search)),
  });
  return await startHealthServer({
    ...{ ...sources, host, port },
    now: () => performance.now(),
    failed: (error) => parts.log.as("http").error("Cannot answer a request", error),
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  return promise;
}
