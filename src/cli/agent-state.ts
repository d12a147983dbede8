import type { HandoverState } from "../agent/handover.ts";
import type { AgentState, NamesState } from "../agent/readiness.ts";
import type { HealthPart } from "../export/page-model.ts";
import type { AgentParts } from "./agent-parts.ts";
import { estimateOf } from "./estimate-of.ts";
import { exportModels } from "./export-models.ts";

/** How the agent's parts stand at this moment. */
export function agentState(parts: AgentParts): AgentState {
  const { startedMs, shuttingDown, ticks, capturing, refusal } = parts;
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
            gaps: capturing.session.gaps,
            estimate: estimateOf(capturing.tells),
          },
    refusal: refusal && { sentence: refusal.message, remedy: refusal.remedy },
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

function othersOf({ capturing, output }: AgentParts): readonly HealthPart[] {
  const others: HealthPart[] = [];
  if (capturing !== undefined) others.push(...handoverPart(capturing.handover.state));
  if (output.lost > 0) {
    const sentence = output.closed ? "It is closed" : "Whoever reads it is slower than what is written";
    others.push({
      ...{ name: "output", state: "degraded" },
      sentence: `${sentence}: ${output.lost} writes went nowhere`,
      remedy: undefined,
    });
  }
  return others;
}

function handoverPart(state: HandoverState): readonly HealthPart[] {
  const name = "handover";
  switch (state.kind) {
    case "counting":
      return [];
    case "waiting": {
      const sentence = `It captures, and counts from when ${state.older.join(", ")} has ended`;
      return [{ name, state: "ok", sentence, remedy: undefined }];
    }
    case "beside": {
      const sentence = `Another agent of this node has not ended (${state.older.join(", ")}): both count`;
      return [{ name, state: "degraded", sentence, remedy: "Remove one of the two" }];
    }
  }
}
