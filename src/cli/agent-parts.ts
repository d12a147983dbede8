import type { BoundedOutput } from "../agent/bounded-output.ts";
import type { Handover } from "../agent/handover.ts";
import type { HealthServer } from "../agent/health-server.ts";
import type { OwnLog } from "../agent/own-log.ts";
import type { RecentEvents } from "../agent/recent-events.ts";
import type { Config } from "../config/config.ts";
import type { Episodes } from "../export/episodes.ts";
import type { EventLog } from "../export/event-log.ts";
import type { RetransmitMetrics } from "../export/retransmit-metrics.ts";
import type { Losses } from "../reconcile/losses.ts";
import type { SetupError } from "../syscall/setup-error.ts";
import type { AgentExports } from "./agent-exports.ts";
import type { CountedNaming } from "./event-names.ts";
import type { ExportWatch } from "./export-watch.ts";
import type { HttpRequests } from "./http-requests.ts";
import type { LivePipeline } from "./live-pipeline.ts";
import type { NamingSession } from "./naming-session.ts";
import type { NodeCounters } from "./node-counters.ts";
import type { RungSight } from "./rung-sight.ts";
import type { Session } from "./session.ts";

/** What there is while something is captured. */
export interface Capturing {
  readonly session: Session;
  readonly live: LivePipeline;
  readonly naming: CountedNaming | undefined;
  readonly eventLog: EventLog | undefined;
  readonly episodes: Episodes;
  readonly tells: RungSight;
  /** Whether this agent counts, or waits for the one that it replaces. */
  readonly handover: Handover;
  /** What was lost so far; still told when the probes are gone. */
  readonly losses: () => Losses;
}

/** How often the pump went round, and how long it took in all. */
export interface Ticks {
  count: number;
  seconds: number;
  /** When the last one ended, on the clock of `performance.now()`; undefined before the first. */
  lastMs: number | undefined;
}

/** All that the agent is made of; those that come later are undefined until then. */
export interface AgentParts {
  readonly config: Config;
  readonly version: string;
  readonly log: OwnLog;
  /** Standard output, for events and the log. */
  readonly output: BoundedOutput;
  readonly startedUnixMs: number;
  readonly startedMs: number;
  readonly metrics: RetransmitMetrics;
  readonly recent: RecentEvents;
  readonly exportWatch: ExportWatch;
  readonly ticks: Ticks;
  readonly httpRequests: HttpRequests;
  /** Nothing is exported until it is opened. */
  exports: AgentExports;
  /** Undefined where there is no port. */
  server: HealthServer | undefined;
  names: NamingSession | undefined;
  counters: NodeCounters | undefined;
  capturing: Capturing | undefined;
  /** Why nothing is captured. */
  refusal: SetupError | undefined;
  shuttingDown: boolean;
}
