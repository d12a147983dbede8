import type { Handover } from "../agent/handover.ts";
import { type Naming, type Pipeline, type Sink, type Tick, WITHOUT_NAMES } from "../agent/pump.ts";
import { Episodes } from "../export/episodes.ts";
import { EventLog } from "../export/event-log.ts";
import { eventSignals } from "../export/event-signals.ts";
import { tableHeader } from "../export/table.ts";
import type { AgentHost } from "./agent.ts";
import type { AgentParts } from "./agent-parts.ts";
import { nameEvents } from "./event-names.ts";
import { type LivePipeline, utcOffsetMinutes } from "./live-pipeline.ts";
import { lossReader } from "./losses.ts";
import type { NodeCounters } from "./node-counters.ts";
import { rungSight } from "./rung-sight.ts";
import type { Session } from "./session.ts";
import { eventFormatter, View } from "./view.ts";

export interface AgentPipelineParts {
  readonly session: Session;
  readonly live: LivePipeline;
  readonly counters: NodeCounters;
  readonly host: AgentHost;
  readonly handover: Handover;
}

/** Joins the agent's data path: names, then metrics, log records and spans, the page, and lines for whoever looks. */
export function agentPipeline(
  parts: AgentParts,
  { session, live, counters, host, handover }: AgentPipelineParts,
): Pipeline {
  const { config, exports, metrics, recent, names } = parts;
  const { unixNanos } = live;
  const { emitLog, startSpan } = exports;
  const episodes = new Episodes({
    stall(between, seconds) {
      metrics.measureStall(between.ends, seconds);
      recent.stalled(seconds, between);
    },
    quietSeconds: config.traces.quietSeconds,
    spans: startSpan && { startSpan, maxEventsPerSpan: config.traces.maxEventsPerSpan, unixNanos },
  });
  const eventLog =
    emitLog &&
    new EventLog({
      ...{ emit: emitLog, unixNanos },
      recordsPerSecond: config.logs.recordsPerSecond,
      summarySeconds: config.logs.summarySeconds,
    });
  const naming = names && nameEvents(session, names);
  const { hz, symbols, capture } = session;
  const tells = rungSight(capture.installed, { hz, kallsyms: symbols !== undefined });
  const losses = lossReader(session, live.decoder.counts);
  parts.capturing = { session, live, naming, eventLog, episodes, tells, handover, losses };
  const printed = printer(parts, { live, host });
  return live.join({
    witnesses: [counters],
    naming: inTurn(naming ?? WITHOUT_NAMES, handover),
    sinks: [
      metrics,
      eventSignals({ log: eventLog, episodes }),
      recent,
      ...(printed === undefined ? [] : [printed]),
    ],
    ticked: (tick) => countTick(parts, tick),
  });
}

/** Names for what is this agent's to tell. */
function inTurn(naming: Naming, handover: Handover): Naming {
  return {
    enrich: (events, watermark) => naming.enrich(handover.admit(events), watermark),
    end: () => naming.end(),
  };
}

function countTick({ ticks }: AgentParts, { startMs, endMs }: Tick): void {
  ticks.count++;
  ticks.seconds += (endMs - startMs) / 1000;
  ticks.lastMs = endMs;
}

/** Events on standard output; undefined where nobody wants to see them there. */
function printer(
  { config, names, output: { write } }: AgentParts,
  { live, host }: Pick<AgentPipelineParts, "live" | "host">,
): Sink | undefined {
  const { output } = config.events;
  const { stdout } = host;
  const json = output === "json" || (output === "auto" && !stdout.isTTY);
  if (output === "none") return undefined;
  const settings = {
    ...{ json, wide: true, color: stdout.isTTY, stacks: false, lossProbes: true },
    ...{ summary: undefined, count: undefined, filter: () => true, names: names !== undefined },
  };
  if (!json) write(tableHeader(settings));
  const format = eventFormatter(settings, { stackNames: live.namesOf, utcOffsetMinutes });
  return new View({ ...settings, format, epochUnixNanos: live.epochUnixNanos, write, enough: () => {} });
}
