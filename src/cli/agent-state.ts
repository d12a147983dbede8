import type { AgentState, NamesState } from "../agent/readiness.ts";
import type { HealthPart } from "../export/page-model.ts";
import type { AgentParts } from "./agent-parts.ts";
import { estimateOf } from "./estimate-of.ts";
import { exportModels } from "./export-models.ts";

/** How the agent's parts stand at this moment. */
export function agentState(parts: AgentParts): AgentState {
  const { startedMs, shuttingDown, ticks, capturing } = parts;
  return {
    nowMs: performance.now(),
    ...{ startedMs, shuttingDown },
    lastTickMs: ticks.lastMs,
    capture:
      capturing === undefined
        ? undefined
        : {
            rung: capturing.session.capture.installed.rung,
            missing: capturing.session.missing.map(({ event }) => event),
            estimate: estimateOf(capturing.tells),
          },
    names: namesOf(parts),
    exports: exportModels(parts),
    others: othersOf(parts),
  };
}

/** A resource's times are Unix times; here they are on the clock of the state. */
function namesOf({ names, startedMs }: AgentParts): readonly NamesState[] {
  const toMonotonic = (unixMs: number) => performance.now() - (Date.now() - unixMs);
  return [...(names?.watch.resources() ?? [])].map(([resource, { state, counters, problem }]) => ({
    ...{ resource, state, problem },
    sinceMs: counters.lastContactMs === undefined ? startedMs : toMonotonic(counters.lastContactMs),
  }));
}

function othersOf({ refusal }: AgentParts): readonly HealthPart[] {
  if (refusal === undefined) return [];
  const { message: sentence, remedy } = refusal;
  return [{ name: "capture", state: "failing", sentence, remedy }];
}
