import type { DoctorFacts } from "../../src/cli/doctor-facts.ts";
import type { RungSight } from "../../src/cli/rung-sight.ts";
import type { RungTrial } from "../../src/cli/try-rung.ts";
import { CAUSES } from "../../src/event/tcp-event.ts";

/** What the kprobe rung tells where the kernel refuses nothing. */
export const FULL_SIGHT: RungSight = {
  failures: "errno",
  segments: "kernel",
  networkNamespace: true,
  cgroup: true,
  socket: true,
  rto: true,
  synAcks: true,
  lossProbes: "all",
  newData: true,
  causes: CAUSES.filter((cause) => cause !== "other"),
  merged: {},
};

/** What the tracepoint rung tells before 6.1 with hidden kernel symbols: the least of all. */
export const LEAST_SIGHT: RungSight = {
  failures: "none",
  segments: "assumed",
  networkNamespace: false,
  cgroup: false,
  socket: false,
  rto: false,
  synAcks: false,
  lossProbes: "retransmitting",
  newData: false,
  causes: ["syn", "syn_ack"],
  merged: { timeout: "other", fast: "other", slow_start: "other", window_probe: "timeout" },
};

type Refused = Extract<RungTrial, { readonly kind: "refused" }>;

export const NO_KPROBES: Refused = {
  kind: "refused",
  rung: "kprobe",
  code: "no-probe",
  reason: "Cannot install kprobes: this kernel was built without CONFIG_KPROBE_EVENTS",
  remedy: "Use --probe=auto, which takes the best means of capture that this kernel allows",
};

export const NO_EPROBES: Refused = {
  kind: "refused",
  rung: "eprobe",
  code: "no-eprobe",
  reason:
    "Cannot install probe e:outcome: the kernel says EINVAL: the definition is invalid here, or no event probes (Linux 5.15 or newer, CONFIG_EPROBE_EVENTS)",
  remedy: "Use --probe=auto, which takes the best means of capture that this kernel allows",
};

/** A rung that works. */
export function works(
  rung: "kprobe" | "eprobe" | "tracepoint",
  sight: RungSight,
  notes: readonly string[] = [],
): RungTrial {
  return { kind: "ok", rung, notes, sight };
}

/** A host on which all is well, with some of it otherwise. */
export function facts(
  otherwise: Partial<Omit<DoctorFacts, "kernel">> & { readonly kernel?: Partial<DoctorFacts["kernel"]> } = {},
): DoctorFacts {
  const { kernel, ...rest } = otherwise;
  const usual: DoctorFacts = {
    kernel: {
      release: "6.12.107+deb13-cloud-amd64",
      machine: "x86_64",
      hz: 250,
      ftraceEnabled: true,
      lockdown: "none",
      kallsyms: true,
      btf: { kind: "ok", missing: [] },
      ...kernel,
    },
    node: { version: "v26.10.0", ffi: true },
    uid: 0,
    tracefs: { kind: "ok", path: "/sys/kernel/tracing", mountedBy: "host" },
    tracepoints: { tcp_retransmit_skb: true, tcp_retransmit_synack: true, tcp_cong_state_set: true },
    rungs: [works("kprobe", FULL_SIGHT), works("eprobe", FULL_SIGHT), works("tracepoint", LEAST_SIGHT)],
    namespaces: { found: 3, readable: 3, reason: undefined },
    probes: { others: 0, tcpretrans: 0 },
  };
  return { ...usual, ...rest };
}

const NOT_TRIED = { rungs: [], tracepoints: undefined, probes: undefined };

/** Hosts of every kind, with the first word of what the doctor says of them. */
export const HOSTS: readonly {
  readonly name: string;
  readonly verdict: string;
  readonly facts: DoctorFacts;
}[] = [
  { name: "with every rung", verdict: "OK:", facts: facts() },
  {
    name: "without kprobes and eprobes",
    verdict: "OK:",
    facts: facts({ rungs: [NO_KPROBES, NO_EPROBES, works("tracepoint", LEAST_SIGHT)] }),
  },
  {
    name: "of which every row is long",
    verdict: "OK:",
    facts: facts({
      kernel: {
        release: "5.15.0-1084-some-vendor-with-a-long-name-realtime-lowlatency-64k",
        hz: undefined,
        kallsyms: false,
        lockdown: undefined,
        btf: { kind: "ok", missing: ["net.ns.inum", "sock.sk_cgrp_data.cgroup", "a.b", "c.d", "e.f"] },
      },
      node: { version: "v24.21.0", ffi: false },
      tracefs: { kind: "ok", path: `/var/lib/${"deep/".repeat(30)}tracing`, mountedBy: "host" },
      namespaces: { found: 900, readable: 1, reason: `spawn nsenter ENOENT ${"and more ".repeat(20)}` },
      probes: { others: 120, tcpretrans: 14 },
      rungs: [
        works(
          "kprobe",
          { ...LEAST_SIGHT, segments: "computed", socket: true, causes: ["syn"] },
          [1, 2, 3, 4, 5].map(
            (n) => `What probe ${n} tells is unknown: Cannot install probe p:${"x".repeat(200)} ${n}`,
          ),
        ),
        { ...NO_EPROBES, reason: "words of the kernel ".repeat(30) },
        { ...NO_EPROBES, rung: "tracepoint", reason: "words of the kernel ".repeat(30) },
      ],
    }),
  },
  {
    name: "under lockdown",
    verdict: "NO:",
    facts: facts({
      ...NOT_TRIED,
      kernel: { lockdown: "confidentiality" },
      tracefs: {
        kind: "refused",
        path: undefined,
        reason: "Cannot use tracefs: kernel lockdown is confidentiality, which leaves it empty",
        remedy: "Boot with lockdown=integrity, or use --probe=counters",
      },
    }),
  },
  {
    name: "seen without root",
    verdict: "NOT TRIED:",
    facts: facts({
      ...NOT_TRIED,
      uid: 1000,
      tracefs: {
        kind: "refused",
        path: "/sys/kernel/tracing",
        reason: "Cannot try to capture: tcpretrans doctor is not run as root",
        remedy: "Run sudo tcpretrans doctor",
      },
    }),
  },
];
