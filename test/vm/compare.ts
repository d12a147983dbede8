import type { Cause } from "../../src/event/tcp-event.ts";
import type { Counters } from "./namespace.ts";
import type { Line } from "./product.ts";
import type { Scenario } from "./scenarios.ts";
import type { Sight } from "./sight.ts";
import type { Sighting, Way } from "./witness-trace.ts";

/** All that is known of one scenario that has run. */
export interface Evidence {
  readonly scenario: Scenario;
  readonly sightings: readonly Sighting[];
  readonly counters: Counters;
  /** Hits of anyone's kprobes that the kernel skipped, because another's handler was running (kprobe_profile). */
  readonly missed: number;
}

/** The product's causes that one function of the kernel makes. */
const CAUSES_BY_WAY: readonly (readonly [readonly Way[], readonly Cause[]])[] = [
  [["timer"], ["timeout", "window_probe"]],
  [["syn"], ["syn"]],
  [["syn_ack"], ["syn_ack"]],
  [["loss_probe"], ["tail_loss_probe"]],
  [
    ["queue", "reordering", "mtu"],
    ["fast", "slow_start", "reordering", "mtu", "other"],
  ],
];

/** What is wrong with a scenario itself: it did not make what it is for, or the witness is at odds with the kernel. */
export function judgeScenario({ scenario, sightings, counters }: Evidence): readonly string[] {
  const faults: string[] = [];
  for (const [name, least] of Object.entries(scenario.witness)) {
    const value = counters[name] ?? 0;
    if (value < least) faults.push(`${name} ${value} < ${least}`);
  }
  for (const name of scenario.untouched ?? []) {
    if ((counters[name] ?? 0) > 0) faults.push(`${name} ${counters[name]} where none should be`);
  }
  for (const { cause, outcome, atLeast } of scenario.expect) {
    const ways = CAUSES_BY_WAY.find(([, causes]) => causes.includes(cause))?.[0] ?? [];
    const exact = cause === "reordering" || cause === "mtu" ? [cause] : ways;
    const seen =
      outcome === "failed" ? countFailed(sightings, exact) : countKind(sightings, "outcome", exact);
    const silent = outcome === "new_data" || outcome === "nothing";
    const needed = silent ? countKind(sightings, "probe", ["loss_probe"]) - seen : seen;
    if (needed < atLeast) faults.push(`the witness saw ${needed} ${cause} ${outcome} < ${atLeast}`);
  }
  const unknown = countKind(sightings, "attempt", ["unknown"]) + countKind(sightings, "outcome", ["unknown"]);
  if (unknown > 0) faults.push(`the witness cannot name ${unknown}`);
  return faults;
}

/** Where the product's lines of a scenario differ from what was to be expected and from what the witness saw. */
export function judgeProduct(lines: readonly Line[], evidence: Evidence, sight: Sight): readonly string[] {
  return [
    ...unexpected(lines, evidence.scenario, sight),
    ...unequal(lines, evidence, sight),
    ...(sight.errors ? misnamedErrors(lines, evidence) : []),
  ];
}

/** Expected causes under the right name. */
function unexpected(lines: readonly Line[], scenario: Scenario, sight: Sight): readonly string[] {
  const faults: string[] = [];
  for (const { cause, outcome, atLeast, exactly } of scenario.expect) {
    if (outcome === "failed" && !sight.failures) continue;
    if ((outcome === "new_data" || outcome === "nothing") && !sight.silentProbes) continue;
    const outcomes = sight.outcomes(outcome);
    const name = sight.name(cause);
    const seen = lines.filter((line) => line.cause === name && outcomes.includes(line.outcome)).length;
    if (seen < atLeast || (exactly && seen > atLeast))
      faults.push(`${seen} ${name} ${outcome}, not ${atLeast}`);
  }
  return faults;
}

/** As many events as the witness saw, cause by cause. */
function unequal(
  lines: readonly Line[],
  { sightings, counters, missed }: Evidence,
  sight: Sight,
): readonly string[] {
  const faults: string[] = [];
  /** Sent events come from the tracepoint, which nothing misses; the rest can differ by the hits that were skipped. */
  const equal = (what: string, seen: number, witnessed: number, slack = 0) => {
    if (Math.abs(seen - witnessed) > slack) faults.push(`${what}: ${seen} seen, ${witnessed} witnessed`);
  };
  const count = (causes: readonly Cause[], outcome: string) =>
    lines.filter((line) => causes.includes(line.cause) && line.outcome === outcome);
  const unpaired = sight.rung === "tracepoint" ? 0 : lines.filter(isUnpaired).length;
  if (unpaired > missed) faults.push(`${unpaired} outcomes without an attempt, ${missed} hits skipped`);
  for (const [ways, causes] of CAUSES_BY_WAY) {
    equal(
      `${causes.join("+")} sent`,
      count(causes, "sent").length,
      countKind(sightings, "outcome", ways),
      unpaired,
    );
    if (!sight.failures || ways.includes("loss_probe") || ways.includes("syn_ack")) continue;
    equal(`${causes.join("+")} failed`, count(causes, "failed").length, countFailed(sightings, ways), missed);
  }
  for (const cause of ["reordering", "mtu"] as const) {
    if (sight.name(cause) !== cause) continue;
    equal(`${cause} sent`, count([cause], "sent").length, countKind(sightings, "outcome", [cause]), missed);
  }
  if (sight.silentProbes) {
    const probes = lines.filter(({ cause, outcome }) => cause === "tail_loss_probe" && outcome !== "failed");
    equal("loss probes", probes.length, countKind(sightings, "probe", ["loss_probe"]), missed);
  }
  if (sight.rung !== "tracepoint") faults.push(...wrongSegments(lines, counters, unpaired));
  return faults;
}

/** A zero-window retransmit is in no counter of its own: what the timers sent and failed beyond TCPTimeouts. */
function wrongSegments(lines: readonly Line[], counters: Counters, unpaired: number): readonly string[] {
  const problem = (what: string, causes: readonly Cause[], counted = 0) => {
    const own = lines.filter(({ cause, outcome }) => causes.includes(cause) && outcome === "sent");
    const seen = own.reduce((sum, line) => sum + (line.segments ?? 1), 0);
    const isRight = seen === counted || (unpaired > 0 && seen < counted);
    return isRight ? [] : [`${what} segments: ${seen} seen, ${counted} witnessed`];
  };
  return [
    ...problem("fast", ["fast", "reordering"], counters["TCPFastRetrans"]),
    ...problem("slow start", ["slow_start", "mtu"], counters["TCPSlowStartRetrans"]),
  ];
}

/** Before 5.15 the attempt alone tells cause and segments: an outcome whose attempt's hit was skipped has neither. */
function isUnpaired({ cause, outcome, segments }: Line): boolean {
  return cause === "other" && outcome === "sent" && segments === undefined;
}

/** Errors by the name that the kernel returned, where the tracepoint carries them. */
function misnamedErrors(lines: readonly Line[], { sightings, missed }: Evidence): readonly string[] {
  const names: Readonly<Record<number, string>> = {
    1: "NET_XMIT_DROP",
    [-1]: "EPERM",
    [-11]: "EAGAIN",
    [-16]: "EBUSY",
  };
  const faults: string[] = [];
  for (const [result, name] of Object.entries(names)) {
    const witnessed = sightings.filter((sighting) => sighting.result === Number(result)).length;
    const seen = lines.filter((line) => line.error === name && line.cause !== "tail_loss_probe").length;
    if (Math.abs(seen - witnessed) > missed) faults.push(`${name}: ${seen} seen, ${witnessed} witnessed`);
  }
  return faults;
}

function countKind(sightings: readonly Sighting[], kind: Sighting["kind"], ways: readonly Way[]): number {
  return sightings.filter((sighting) => sighting.kind === kind && ways.includes(sighting.way)).length;
}

/**
 * Attempts that came to nothing: by what they returned, or, where no return probe could be had, those without an outcome.
 * Loss probes do not go through tcp_retransmit_skb.
 */
function countFailed(sightings: readonly Sighting[], ways: readonly Way[]): number {
  if (!sightings.some(({ result }) => result !== undefined)) {
    return countKind(sightings, "attempt", ways) - countKind(sightings, "outcome", ways);
  }
  return sightings.filter(({ way, result }) => ways.includes(way) && result !== undefined && result !== 0)
    .length;
}
