import type { DoctorFacts } from "./doctor-facts.ts";
import type { RungTrial } from "./try-rung.ts";

type Tried = Extract<RungTrial, { readonly kind: "ok" }>;
type Refused = Extract<RungTrial, { readonly kind: "refused" }>;

/** The rung that `--probe=auto` takes: the best that works. */
export function bestRung({ rungs }: Pick<DoctorFacts, "rungs">): Tried | undefined {
  return rungs.find((trial) => trial.kind === "ok");
}

/** What to do about each thing that is missing, one sentence each, most worth first; pure. */
export function advise(facts: DoctorFacts): readonly string[] {
  const { tracefs, kernel, namespaces } = facts;
  const advice: string[] = [];
  if (tracefs.kind === "refused") advice.push(tracefs.remedy);
  else advice.push(...forRungs(facts), ...forCauses(facts));
  if (facts.uid === 0 && kernel.hz === undefined && kernel.btf.kind === "ok") {
    advice.push("For RTO in seconds: let /proc/timer_list be read; right after boot, run this again");
  }
  if (facts.uid === 0 && namespaces.reason !== undefined) {
    advice.push(
      "For counters of every namespace: install nsenter (util-linux) or run on Node 26, privileged",
    );
  }
  return [...new Set(advice)];
}

/** Rungs below the best one have nothing to add to it. */
function forRungs(facts: DoctorFacts): readonly string[] {
  const best = bestRung(facts);
  const above = best === undefined ? facts.rungs : facts.rungs.slice(0, facts.rungs.indexOf(best));
  const advice = above.map((trial) => (trial.kind === "refused" ? remedyOf(trial, facts) : ""));
  if (best?.sight.segments === "computed") advice.push(`For the kernel's own segment counts: ${EPROBES}`);
  return advice;
}

const EPROBES = "boot a kernel with CONFIG_EPROBE_EVENTS=y (Linux 5.15 or newer)";

/** What would open a refused rung. */
export function remedyOf(
  { rung, code, reason, remedy }: Refused,
  { kernel }: Pick<DoctorFacts, "kernel">,
): string {
  if (code === "no-btf") {
    return kernel.btf.kind === "absent"
      ? "For kprobe and eprobe: boot a kernel with CONFIG_DEBUG_INFO_BTF=y"
      : "For kprobe and eprobe: update tcpretrans; this one cannot use this kernel's BTF";
  }
  if (code === "no-eprobe") return `For ${rung}: ${EPROBES}`;
  if (code !== "no-probe") return `For ${rung}: ${remedy.charAt(0).toLowerCase()}${remedy.slice(1)}`;
  if (kernel.ftraceEnabled === false) return "For kprobe: run sysctl kernel.ftrace_enabled=1";
  return reason.includes("CONFIG_KPROBE_EVENTS")
    ? "For kprobe: boot a kernel with CONFIG_KPROBE_EVENTS=y, as those of the large distributions are"
    : `For ${rung}: boot another kernel build; this one refuses the probe itself`;
}

/** On the tracepoint rung, causes hang on names of functions and on one more tracepoint. */
function forCauses(facts: DoctorFacts): readonly string[] {
  const best = bestRung(facts);
  if (best?.rung !== "tracepoint") return [];
  const { kernel } = facts;
  if (!kernel.kallsyms)
    return ["For causes: run sysctl kernel.kptr_restrict=1, and give CAP_SYSLOG in a pod"];
  return best.sight.merged.fast === undefined
    ? []
    : ["For fast and slow_start: boot Linux 6.1 or newer, which has tcp:tcp_cong_state_set"];
}
