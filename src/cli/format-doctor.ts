import type { Rung } from "../event/tcp-event.ts";
import { RUNGS } from "../probe/install-probes.ts";
import { advise, bestRung } from "./doctor-advice.ts";
import type { DoctorFacts, TracepointFacts } from "./doctor-facts.ts";
import { formatSight } from "./format-sight.ts";
import { type Entry, layOut } from "./lay-out.ts";
import type { RungSight } from "./rung-sight.ts";
import type { RungTrial } from "./try-rung.ts";

/** One screen for a person: at most 40 lines of 100 columns. What does not fit is in --json. */
export function formatDoctor(facts: DoctorFacts): string {
  const best = bestRung(facts);
  const advice = facts.uid === 0 ? advise(facts) : []; // without root, the headline has said it
  return layOut([
    headline(facts),
    BLANK,
    ...host(facts),
    BLANK,
    [
      "",
      `Ways to capture, best first, ${facts.rungs.length > 0 ? "each tried and undone just now" : "none tried"}`,
    ],
    ...rungs(facts, best?.rung),
    BLANK,
    ...(best === undefined ? sightOfCounters(facts) : formatSight(best.rung, best.sight)),
    ...(advice.length === 0 ? [] : [BLANK, ["", "What to do"] as const]),
    ...advice.slice(0, MAX_ADVICE).map((text) => ["  -", text] as const),
  ]);
}

const BLANK: Entry = ["", ""];
const MAX_ADVICE = 4;

function headline(facts: DoctorFacts): Entry {
  const best = bestRung(facts);
  if (best !== undefined) {
    const more = isFull(best.sight) ? "everything that tcpretrans can tell" : "with the limits below";
    return ["OK:", `retransmits of this host can be captured (${best.rung}), ${more}`];
  }
  if (facts.uid !== 0) {
    return ["NOT TRIED:", "capture needs root. Run sudo tcpretrans doctor for the whole answer"];
  }
  return ["NO:", `retransmits of this host cannot be captured. ${whyNot(facts)}`];
}

/** Without any rung: tracefs cannot be used, or else what was said of the rung that needs the least. */
function whyNot({ tracefs, rungs: tried }: DoctorFacts): string {
  if (tracefs.kind === "refused") return tracefs.reason;
  const last = tried.at(-1);
  return last?.kind === "refused" ? last.reason : "";
}

function isFull({ failures, segments, lossProbes, merged, ...tells }: RungSight): boolean {
  const flags = [tells.networkNamespace, tells.cgroup, tells.socket, tells.rto, tells.synAcks];
  const exact = failures !== "none" && segments === "kernel" && lossProbes === "all";
  return exact && Object.keys(merged).length === 0 && flags.every(Boolean);
}

function host(facts: DoctorFacts): readonly Entry[] {
  const { kernel, node, uid, tracefs, tracepoints, namespaces, probes } = facts;
  const root = uid === 0;
  const unread = root ? "not read" : "needs root";
  const hz = `HZ ${kernel.hz ?? (root ? "not found" : "needs root")}`;
  const ffi = node.ffi ? "with node:ffi" : "without node:ffi: all works, idling costs a little more";
  const rows: readonly Entry[] = [
    ["kernel", `${kernel.release} ${kernel.machine}, ${hz}, ${ftrace(kernel.ftraceEnabled)}`],
    ["node", `${node.version} ${ffi}`],
    ["user", root ? "root" : `uid ${uid}, not root`],
    ["tracefs", formatTracefs(tracefs, root)],
    ["lockdown", kernel.lockdown ?? "not shown: this kernel has none, or hides it"],
    ["BTF", formatBtf(kernel.btf)],
    ["kallsyms", kernel.kallsyms ? "readable" : `addresses ${root ? "hidden (kptr_restrict)" : "need root"}`],
    ["tracepoints", tracepoints === undefined ? unread : formatTracepoints(tracepoints)],
    ["namespaces", formatNamespaces(namespaces, root)],
    ["probes", probes === undefined ? unread : formatProbes(probes)],
  ];
  return rows.map(([name, text]) => [name.padEnd(LABEL), text]);
}

const LABEL = 11;

function formatTracefs(tracefs: DoctorFacts["tracefs"], root: boolean): string {
  if (tracefs.kind === "ok") {
    const by = tracefs.mountedBy === "host" ? "the host" : "tcpretrans for this check";
    return `${tracefs.path}, mounted by ${by}`;
  }
  const where = tracefs.path ?? "not mounted";
  return root ? `${where}: ${tracefs.reason}` : where;
}

function formatNamespaces({ found, readable, reason }: DoctorFacts["namespaces"], root: boolean): string {
  const counters = `counters of ${readable} of ${found} can be read`;
  if (!root) return `${counters}; root sees more`;
  return reason === undefined ? counters : `${counters}: ${reason}`;
}

function ftrace(enabled: boolean | undefined): string {
  if (enabled === undefined) return "no kernel.ftrace_enabled";
  return enabled ? "ftrace enabled" : "FTRACE DISABLED: kprobes never fire";
}

function formatBtf({ kind, missing }: DoctorFacts["kernel"]["btf"]): string {
  if (kind === "absent") return "none: the socket's fields cannot be found";
  if (kind === "unusable") return "there, but without the socket's addresses or damaged";
  if (missing.length === 0) return "every field found";
  const [named, more] = [missing.slice(0, 4).join(", "), missing.length - 4];
  return `lacks ${named}${more > 0 ? ` and ${more} more` : ""}`;
}

function formatTracepoints(tracepoints: TracepointFacts): string {
  return Object.entries(tracepoints)
    .map(([event, there]) => (there ? event : `no ${event}`))
    .join(", ");
}

function formatProbes({ others, tcpretrans }: NonNullable<DoctorFacts["probes"]>): string {
  const ours = tcpretrans === 0 ? "" : `; ${tcpretrans} of other runs of tcpretrans`;
  return `${others === 0 ? "none" : others} of other tools${others === 0 ? "" : ", left alone"}${ours}`;
}

function rungs(facts: DoctorFacts, best: Rung | undefined): readonly Entry[] {
  const why = facts.uid === 0 ? "not tried: tracefs cannot be used" : "needs root";
  const tried =
    facts.rungs.length > 0
      ? facts.rungs.flatMap((trial) => rung(trial, best))
      : RUNGS.map((name) => entry("-", name, why));
  const { readable } = facts.namespaces;
  const counters = `counts per namespace, no connections (--probe=counters)`;
  return [...tried, entry(readable > 0 ? "yes" : "no", "counters", counters)];
}

function rung(trial: RungTrial, best: Rung | undefined): readonly Entry[] {
  if (trial.kind === "refused") return [entry("no", trial.rung, trial.reason)];
  const first = trial.rung === best ? "works, and is what tcpretrans uses" : "works";
  // What a lower rung lacks is of no use to anyone while a better one works.
  const notes =
    trial.rung === best ? trial.notes.map((note) => note.replace("Cannot install probe ", "")) : [];
  const more = notes.length - MAX_NOTES;
  return [
    entry("yes", trial.rung, first),
    ...notes.slice(0, MAX_NOTES).map((note) => [NOTE, note] as const),
    ...(more > 0 ? [[NOTE, `${more} more in tcpretrans doctor --json`] as const] : []),
  ];
}

const MAX_NOTES = 3;
const NOTE = " ".repeat(17);

function entry(mark: "yes" | "no" | "-", name: string, text: string): Entry {
  return [`  ${mark.padEnd(4)} ${name.padEnd(LABEL - 1)}`, text];
}

function sightOfCounters({ namespaces }: DoctorFacts): readonly Entry[] {
  if (namespaces.readable === 0) return [["", "Nothing is seen on this host as it is"]];
  return [
    ["", "Seen as it is, with --probe=counters"],
    ["  yes ", "retransmits, timeouts and loss probes counted per network namespace"],
    ["  no  ", "which connections, and everything else"],
  ];
}
