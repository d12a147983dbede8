import type { Cause, Outcome, Rung } from "../../src/event/tcp-event.ts";
import type { Scenario } from "./scenarios.ts";

/** What a rung can tell on a kernel; the documentation says the same (docs/kernels.md). */
export interface Sight {
  readonly rung: Rung;
  /** Failed attempts show. The tracepoint tells of them since 6.17. */
  readonly failures: boolean;
  /** Failed attempts show with the errno. */
  readonly errors: boolean;
  /** Loss probes that retransmit nothing show. */
  readonly silentProbes: boolean;
  /** The name that this rung gives to a cause: its own, or that of what it cannot be told from. */
  name(cause: Cause): Cause;
  /** The outcomes under which an expected one may show. */
  outcomes(outcome: Outcome): readonly Outcome[];
}

/** The rungs that a kernel has, highest first. Event probes since 5.15. */
export function rungsOf(release: string): readonly Rung[] {
  return isAtLeast(release, 5, 15) ? ["kprobe", "eprobe", "tracepoint"] : ["kprobe", "tracepoint"];
}

/** What a rung can tell on the kernel with this `uname -r`. */
export function sightOf(rung: Rung, release: string): Sight {
  const errors = isAtLeast(release, 6, 17);
  const fieldsOnly: Partial<Record<Cause, Cause>> = { reordering: "fast", mtu: "slow_start" };
  // The stack of an ACK's retransmit is the same in Recovery and in Loss; tcp:tcp_cong_state_set tells them apart since 6.1.
  const stackOnly: Partial<Record<Cause, Cause>> = isAtLeast(release, 6, 1)
    ? { mtu: "slow_start", window_probe: "timeout" }
    : { mtu: "other", window_probe: "timeout", fast: "other", slow_start: "other", reordering: "other" };
  const aliases: Partial<Record<Cause, Cause>> = { kprobe: {}, eprobe: fieldsOnly, tracepoint: stackOnly }[
    rung
  ];
  return {
    rung,
    errors,
    failures: rung === "kprobe" || errors,
    silentProbes: rung === "kprobe",
    name: (cause) => aliases[cause] ?? cause,
    outcomes: (outcome) =>
      outcome === "new_data" || outcome === "nothing" ? [outcome, "unknown"] : [outcome],
  };
}

/** What a reader of the table is to know of a scenario on a rung that shows all it can. */
export function describeSight({ expect }: Pick<Scenario, "expect">, sight: Sight): string {
  const words = expect.map(({ cause, outcome }) => {
    if (outcome === "failed" && !sight.failures) return "not seen";
    if ((outcome === "new_data" || outcome === "nothing") && !sight.silentProbes) return "not seen";
    const name = sight.name(cause);
    if (name !== cause) return `as ${name}`;
    return outcome === "failed" && sight.errors ? "yes, errno" : "yes";
  });
  return [...new Set(words)].join("; ") || "no event, rightly";
}

function isAtLeast(release: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  return a > major || (a === major && b >= minor);
}
