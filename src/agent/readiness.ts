import type { Rung } from "../event/tcp-event.ts";
import type { ExportModel, HealthPart } from "../export/page-model.ts";
import type { Health } from "./health-answers.ts";

/** How the capture stands. */
export interface CaptureState {
  /** Undefined where only the kernel's counters are read. */
  readonly rung: Rung | undefined;
  /** Probes that another program has removed or switched off. */
  readonly missing: readonly string[];
  /** Times that another program had switched them off until they were put back; the last on the clock of the state. */
  readonly gaps: { readonly count: number; readonly lastMs: number | undefined };
  /** Why what is seen is no exact number on this rung and kernel; undefined where it is. */
  readonly estimate: string | undefined;
}

/** How the knowledge of one resource of the API stands. */
export interface NamesState {
  /** By the API's name, such as `pods`. */
  readonly resource: string;
  readonly state: "syncing" | "synced" | "behind" | "denied";
  /** Since when, on the clock of `nowMs`. */
  readonly sinceMs: number;
  /** What the last try met, and what to do about it; undefined where none has failed since. */
  readonly problem: string | undefined;
}

/** All that readiness depends on, at one moment. Times are of one clock that never goes back, in ms. */
export interface AgentState {
  readonly nowMs: number;
  readonly startedMs: number;
  readonly shuttingDown: boolean;
  /** When the pump last had a turn; undefined before the first. */
  readonly lastTickMs: number | undefined;
  /** Undefined until the probes are in place. */
  readonly capture: CaptureState | undefined;
  /** Why the machine lets nothing be captured, which is tried again and again. */
  readonly refusal: Pick<HealthPart, "sentence" | "remedy"> | undefined;
  /** Empty where names are not asked for. */
  readonly names: readonly NamesState[];
  readonly exports: readonly Pick<ExportModel, "signal" | "state" | "to" | "problem">[];
  /** What other parts say of themselves. */
  readonly others: readonly HealthPart[];
}

/** The pump ticks several times a second, and a storm's longest tick takes far less than that. */
const STUCK_MS = 30_000;
/** A first list of a large cluster takes seconds; one that has not come by then, and why nobody knows, is not waited for. */
const FIRST_LIST_MS = 60_000;
/** A list that is made anew begins at a random time within 30 s: until then nothing is wrong. */
const RELIST_MS = 45_000;
/** How long a gap is told of that is over. */
const GAP_TOLD_MS = 60_000;

/** Whether the process does its work: if not, starting it anew may help. */
export function liveness(state: AgentState): Health {
  const part = pump(state);
  return { ok: part.state !== "failing", lines: [formatPart(part)] };
}

/** Whether retransmits are seen, with names or with a word why without: each part of the agent with how it does. */
export function readiness(state: AgentState): {
  readonly ok: boolean;
  readonly parts: readonly HealthPart[];
} {
  const { names, exports, shuttingDown } = state;
  const parts = [
    pump(state),
    probes(state),
    ...names.map((resource) => namesPart(resource, state.nowMs)),
    ...exports.map(exportPart),
    ...state.others,
  ];
  if (shuttingDown) parts.unshift(failing("agent", "It is shutting down"));
  return { ok: parts.every((part) => part.state !== "failing"), parts };
}

/** What /readyz says of the parts. */
export function readinessLines(parts: readonly HealthPart[]): readonly string[] {
  return parts.map(formatPart);
}

function formatPart({ name, state, sentence, remedy }: HealthPart): string {
  return `${name}: ${state}: ${sentence}${remedy === undefined ? "" : `. ${remedy}`}`;
}

function pump({ nowMs, startedMs, lastTickMs, shuttingDown, refusal }: AgentState): HealthPart {
  const ageMs = nowMs - (lastTickMs ?? startedMs);
  if (shuttingDown) return ok("pump", "It takes what is left");
  if (refusal !== undefined) return ok("pump", "It waits until this machine lets it capture");
  if (ageMs > STUCK_MS) {
    const what = lastTickMs === undefined ? "It has not begun" : "It has not looked at the kernel's buffers";
    return failing(
      "pump",
      `${what} for ${seconds(ageMs)}`,
      "Look at the log, and whether the process gets any CPU",
    );
  }
  return ok("pump", lastTickMs === undefined ? "It is about to begin" : "It ticks");
}

function probes({ nowMs, capture, refusal }: AgentState): HealthPart {
  if (refusal !== undefined) return failing("probes", refusal.sentence, refusal.remedy);
  if (capture === undefined) return failing("probes", "They are not in place yet");
  const { rung, missing, gaps, estimate } = capture;
  if (missing.length > 0) {
    return failing(
      "probes",
      `Another program has switched off ${missing.join(", ")}`,
      "They are put back every second; find what uses /sys/kernel/tracing on this node if that goes on",
    );
  }
  const gapMs = gaps.lastMs === undefined ? Number.POSITIVE_INFINITY : nowMs - gaps.lastMs;
  if (gapMs <= GAP_TOLD_MS) {
    return degraded(
      "probes",
      `Another program switched them off ${seconds(gapMs)} ago (gaps so far: ${gaps.count}); they are in place again`,
      "Find what uses /sys/kernel/tracing on this node if that goes on",
    );
  }
  if (rung === undefined) {
    return degraded(
      "probes",
      "This node lets nothing be traced: retransmits are counted, not seen",
      "tcpretrans doctor says what refuses",
    );
  }
  if (estimate === undefined) return ok("probes", `In place, by ${rung}`);
  return degraded("probes", `In place, by ${rung}; numbers are an estimate: ${estimate}`);
}

function namesPart({ resource, state, sinceMs, problem }: NamesState, nowMs: number): HealthPart {
  const name = `names: ${resource}`;
  const ageMs = nowMs - sinceMs;
  switch (state) {
    case "synced":
      return ok(name, "Known, and followed");
    case "denied":
      return degraded(name, `${problem ?? "A permission is missing"}; ${NAMELESS}`);
    case "behind":
      if (problem !== undefined) return degraded(name, `${problem}; known as of ${seconds(ageMs)} ago`);
      if (ageMs <= RELIST_MS) return ok(name, "About to be listed anew");
      return degraded(name, `Known as of ${seconds(ageMs)} ago: the API server has said nothing since`);
    case "syncing":
      if (problem !== undefined) return degraded(name, `${problem}; ${NAMELESS}`);
      if (ageMs <= FIRST_LIST_MS) return failing(name, "The first list is on its way");
      return degraded(name, `The first list has not come for ${seconds(ageMs)}; ${NAMELESS}`);
  }
}

const NAMELESS = "meanwhile ends are named without them";

function exportPart({ signal, state, to, problem }: AgentState["exports"][number]): HealthPart {
  const name = `export: ${signal}`;
  if (to === undefined) return ok(name, "Not asked for");
  if (state === "ok") return ok(name, `To ${to}`);
  // Every node would be unready at once for what is no node's fault.
  return degraded(name, problem ?? `${to} does not take them`);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}

function ok(name: string, sentence: string): HealthPart {
  return { name, state: "ok", sentence, remedy: undefined };
}

function degraded(name: string, sentence: string, remedy?: string): HealthPart {
  return { name, state: "degraded", sentence, remedy };
}

function failing(name: string, sentence: string, remedy?: string): HealthPart {
  return { name, state: "failing", sentence, remedy };
}
