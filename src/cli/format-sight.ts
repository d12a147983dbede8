import { CAUSES, type Rung } from "../event/tcp-event.ts";
import type { Entry } from "./lay-out.ts";
import type { RungSight } from "./rung-sight.ts";

type Row = readonly [seen: boolean, text: string];

/** What a rung tells on this host and what it does not, one row each, what is seen first; pure. */
export function formatSight(name: Rung, tells: RungSight): readonly Entry[] {
  const { failures, segments, merged } = tells;
  const rows: readonly Row[] = [
    [true, `retransmits that were sent: both ends, state${tells.synAcks ? "; SYN-ACKs too" : ""}`],
    ...(tells.synAcks
      ? []
      : [[false, "retransmitted SYN-ACKs: this kernel has no tracepoint for them"] as const]),
    [true, `causes ${tells.causes.join(" ")}`],
    ...mergedRows(name, merged),
    [failures !== "none", FAILURES[failures]],
    [segments !== "assumed", SEGMENTS[segments]],
    [tells.lossProbes === "all", lossProbes(tells)],
    ...fields(tells),
  ];
  const seenFirst = rows.toSorted(([a], [b]) => Number(b) - Number(a));
  return [
    ["", `What is seen with ${name}`],
    ...seenFirst.map(([seen, text]) => [seen ? "  yes " : "  no  ", text] as const),
  ];
}

const FAILURES: Readonly<Record<RungSight["failures"], string>> = {
  errno: "attempts that failed, with their errno",
  failed: "attempts that failed; the errno only since Linux 6.17",
  none: "attempts that failed: needs kprobe, or Linux 6.17",
};

const SEGMENTS: Readonly<Record<RungSight["segments"], string>> = {
  kernel: "segments of each event, by the kernel's own count",
  computed: "segments of each event, computed from its length",
  assumed: "segments of each event: one is assumed where the kernel may send ten; needs kprobe or eprobe",
};

function lossProbes({ lossProbes: which, newData }: RungSight): string {
  if (which === "retransmitting") return "tail loss probes that do not retransmit: needs kprobe";
  return newData
    ? "every tail loss probe, with what it sent"
    : "every tail loss probe; what some sent is unknown";
}

/** Causes that are not told apart, one row for each name that stands for them. */
function mergedRows(name: Rung, merged: RungSight["merged"]): readonly Row[] {
  return CAUSES.flatMap((shown) => {
    const causes = CAUSES.filter((cause) => merged[cause] === shown);
    if (causes.length === 0) return [];
    const stack = name === "eprobe" && causes.includes("reordering") ? "; -s tells it by the stack" : "";
    return [
      [false, `${causes.length > 1 ? "causes" : "cause"} ${causes.join(" ")}: shown as ${shown}${stack}`],
    ];
  });
}

/** The fields of the socket: those that are told on one line, those that are not on another. */
function fields({ networkNamespace, cgroup, socket, rto }: RungSight): readonly Row[] {
  const all: readonly Row[] = [
    [networkNamespace, "network namespace"],
    [cgroup, "cgroup"],
    [rto, "RTO"],
    [socket, "RTT, cwnd and more of the socket"],
  ];
  return [true, false].flatMap((told) => {
    const names = all.filter(([has]) => has === told).map(([, name]) => name);
    if (names.length === 0) return [];
    const needs = told || socket ? "" : ": needs kprobe or eprobe";
    return [[told, `${names.join(", ")}${needs}`] as const];
  });
}
