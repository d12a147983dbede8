import type { AgentCost } from "./agent-cost.ts";
import { formatGoals, type Goal, markdown } from "./bench-report.ts";

/** The agent at rest: without names, with them, and with exports too. */
export type RestCosts = Readonly<Record<"bare" | "names" | "all", AgentCost>>;

export interface RestTimes {
  /** From the start to the measure. */
  readonly settleSeconds: number;
  readonly seconds: number;
}

/** The part of the document that is the agent's rest, without a heading. */
export function restPart(costs: RestCosts, { settleSeconds, seconds }: RestTimes): string {
  const row = ([what, { memory, peakMib, percent }]: readonly [string, AgentCost]) => [
    what,
    memory.resident.toFixed(1),
    memory.own.toFixed(1),
    memory.files.toFixed(1),
    peakMib.toFixed(0),
    percent.toFixed(2),
  ];
  const rows = [
    ["without names", costs.bare] as const,
    ["names, no exports", costs.names] as const,
    ["names, metrics and logs by gRPC", costs.all] as const,
  ];
  return `${formatGoals(restGoals(costs))}

\`bin/tcpretrans agent\`, names of 1,000 pods from a real API server on the same CPUs. Each for ${seconds} s, from ${settleSeconds} s after its start on; memory is that at the end.
Pages of files are nearly all Node's own program, which the kernel has once for all who run it.

${markdown([["", "RSS MiB", "its own", "pages of files", "peak MiB", "% of a core"], ...rows.map(row)])}`;
}

/** Its goals, and what was measured. */
export function restGoals({ names, all }: RestCosts): readonly Goal[] {
  return [["without exports", names] as const, ["with gRPC", all] as const].flatMap(
    ([what, { memory, percent }]) => [
      {
        goal: `rest ${what}: at most 80 MiB`,
        measured: `${memory.resident.toFixed(1)} MiB, ${memory.own.toFixed(1)} its own`,
        met: memory.resident <= 80,
      },
      {
        goal: `rest ${what}: at most 0.3 % of a core`,
        measured: `${percent.toFixed(2)} %`,
        met: percent <= 0.3,
      },
    ],
  );
}
