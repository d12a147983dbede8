import { CAUSES, type Cause } from "../event/tcp-event.ts";
import type { InstalledRung } from "../probe/install-probes.ts";
import type { Role } from "../probe/probe-record.ts";
import { findField } from "../tracefs/event-format.ts";

/** What one rung tells on this host, as its installed probes' own formats say. */
export interface RungSight {
  /** Failed attempts: with the errno, as failed only, or not at all. */
  readonly failures: "errno" | "failed" | "none";
  /** Segments of an event: the kernel's own count, computed from lengths, or one assumed. */
  readonly segments: "kernel" | "computed" | "assumed";
  readonly networkNamespace: boolean;
  readonly cgroup: boolean;
  /** RTT, congestion window, sequence numbers and the other fields of the socket. */
  readonly socket: boolean;
  /** The retransmission timeout, which is in jiffies: needs CONFIG_HZ too. */
  readonly rto: boolean;
  readonly synAcks: boolean;
  /** Tail loss probes: each, or only those that retransmit. */
  readonly lossProbes: "all" | "retransmitting";
  /** Whether a probe that did not retransmit sent new data or nothing. */
  readonly newData: boolean;
  /** Causes told apart, by their exported names. */
  readonly causes: readonly Cause[];
  /** Causes that are not, with the name that their events carry instead. */
  readonly merged: Readonly<Partial<Record<Cause, Cause>>>;
}

export interface SightFacts {
  /** CONFIG_HZ, where it is known. */
  readonly hz: number | undefined;
  /** Whether kernel functions have names: the tracepoint rung takes causes from the stack. */
  readonly kallsyms: boolean;
}

/** Finds what an installed rung tells; pure. */
export function rungSight(
  { rung, probes, eprobes }: Pick<InstalledRung, "rung" | "probes" | "eprobes">,
  { hz, kallsyms }: SightFacts,
): RungSight {
  const has = (role: Role) => probes.some((probe) => probe.role === role);
  const told = (field: string, roles: readonly Role[] = ["attempt", "outcome"]) =>
    probes.some(({ role, format }) => roles.includes(role) && findField(format, field) !== undefined);
  const merged =
    rung === "tracepoint"
      ? mergedByStack({ kallsyms, congState: has("ca_state") })
      : mergedByFields({
          fields: told("ca") && told("pnd"),
          window: told("wnd"),
          reordering: has("reordering_enter") && has("reordering_return"),
          mtu: has("mtu_enter") && has("mtu_return"),
        });
  return {
    failures: told("err") ? "errno" : has("attempt") ? "failed" : "none",
    segments: eprobes && told("gso") ? "kernel" : has("attempt") ? "computed" : "assumed",
    networkNamespace: told("ns"),
    cgroup: told("cg"),
    socket: told("srtt") && told("cwnd"),
    rto: told("rto") && hz !== undefined,
    synAcks: has("syn_ack"),
    lossProbes: has("loss_probe") ? "all" : "retransmitting",
    newData: has("loss_probe_return"),
    causes: CAUSES.filter((cause) => cause !== "other" && merged[cause] === undefined),
    merged,
  };
}

type Merged = RungSight["merged"];

/** As causeOf() names them (probe/cause.ts). */
function mergedByFields(
  tells: Readonly<Record<"fields" | "window" | "reordering" | "mtu", boolean>>,
): Merged {
  if (!tells.fields) return NOTHING_BUT_SYN;
  return {
    ...(tells.reordering ? {} : { reordering: "fast" }),
    ...(tells.mtu ? {} : { mtu: "slow_start" }),
    ...(tells.window ? {} : { window_probe: "timeout" }),
  };
}

/** As causeOfStack() names them (probe/stack-cause.ts). */
function mergedByStack({ kallsyms, congState }: Readonly<Record<"kallsyms" | "congState", boolean>>): Merged {
  if (!kallsyms) return NOTHING_BUT_SYN;
  // tcp_simple_retransmit ends in a jump to what retransmits: compiled so, it is not on the stack.
  const stands = congState
    ? ({ mtu: "slow_start" } as const)
    : ({ fast: "other", slow_start: "other", reordering: "other", mtu: "other" } as const);
  return { ...stands, window_probe: "timeout" };
}

/** The state of the socket alone says these two. */
const NOTHING_BUT_SYN: Merged = Object.fromEntries(
  CAUSES.filter((cause) => !["syn", "syn_ack", "other"].includes(cause)).map((cause) => [cause, "other"]),
);
