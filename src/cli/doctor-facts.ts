import { existsSync, readFileSync } from "node:fs";
import { arch, machine, release } from "node:os";
import { join } from "node:path";
import { readKernelSymbols } from "../host/kallsyms.ts";
import { readKernelHz } from "../host/kernel-hz.ts";
import { type CounterReading, NamespaceCounterReader } from "../host/namespace-counters.ts";
import { listNetworkNamespaces } from "../host/network-namespaces.ts";
import { RUNGS } from "../probe/install-probes.ts";
import { missingMembers, type SocketLayout } from "../probe/socket-layout.ts";
import { type Libc, openLibc } from "../syscall/libc.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { listDynamicEvents } from "../tracefs/dynamic-events.ts";
import { Instance } from "../tracefs/instance.ts";
import { type Lockdown, readLockdown } from "../tracefs/lockdown.ts";
import { openTracefs, type TracefsMount } from "../tracefs/mount.ts";
import { parseTracefsMounts } from "../tracefs/mountinfo.ts";
import { groupIdOf } from "../tracefs/names.ts";
import { findKprobesDead, readLayout } from "./session.ts";
import { type RungTrial, tryRung } from "./try-rung.ts";

/** Everything that the doctor finds out of a host. */
export interface DoctorFacts {
  readonly kernel: {
    /** As `uname -r` and `uname -m` say. */
    readonly release: string;
    readonly machine: string;
    /** CONFIG_HZ; undefined where it cannot be found. */
    readonly hz: number | undefined;
    /** kernel.ftrace_enabled; undefined on a kernel without it. */
    readonly ftraceEnabled: boolean | undefined;
    /** Undefined where the kernel has none or hides it. */
    readonly lockdown: Lockdown | undefined;
    /** Whether kernel functions can be read with their addresses. */
    readonly kallsyms: boolean;
    readonly btf: BtfFacts;
  };
  readonly node: { readonly version: string; readonly ffi: boolean };
  readonly uid: number;
  readonly tracefs: TracefsFacts;
  /** The kernel's own trace events that the rungs stand on; undefined where none could be looked for. */
  readonly tracepoints: TracepointFacts | undefined;
  /** Best first; empty when none could be tried: without root or tracefs. */
  readonly rungs: readonly RungTrial[];
  readonly namespaces: NamespaceFacts;
  /** Dynamic events that are there; undefined where they cannot be read. */
  readonly probes: ProbeCounts | undefined;
}

/** The kernel's type information, and the struct members that it lacks. */
export interface BtfFacts {
  readonly kind: "ok" | "absent" | "unusable";
  readonly missing: readonly string[];
}

export type TracefsFacts =
  | { readonly kind: "ok"; readonly path: string; readonly mountedBy: "host" | "tcpretrans" }
  | ({ readonly kind: "refused"; readonly path: string | undefined } & Refusal);

interface Refusal {
  readonly reason: string;
  readonly remedy: string;
}

/** Whether the kernel has these events of group `tcp`. */
export interface TracepointFacts {
  /** Since 4.15. */
  readonly tcp_retransmit_skb: boolean;
  /** Since 4.15. */
  readonly tcp_retransmit_synack: boolean;
  /** Since 6.1: tells fast from slow_start where sockets' fields cannot be read. */
  readonly tcp_cong_state_set: boolean;
}

/** The network namespaces whose counters were read: what `--probe=counters` and `--verify` need. */
export interface NamespaceFacts {
  readonly found: number;
  readonly readable: number;
  /** Why the first unreadable one is so. */
  readonly reason: string | undefined;
}

export interface ProbeCounts {
  /** Of other tools. */
  readonly others: number;
  /** Of another tcpretrans that runs, or that was killed: then the next trace removes them. */
  readonly tcpretrans: number;
}

export interface ExamineOptions {
  readonly procRoot: string;
  readonly sysRoot: string;
  readonly uid: number;
  /** Do without node:ffi, as on Node 24. */
  readonly noFfi: boolean;
}

/** Looks at the host and tries every rung on it; leaves nothing behind. */
export async function examineHost(options: ExamineOptions): Promise<DoctorFacts> {
  const { procRoot, sysRoot, uid, noFfi } = options;
  const libc = openLibc({ disabled: noFfi });
  const layout = readLayout(sysRoot);
  const kernel = await readKernel(layout, options);
  return {
    kernel,
    node: { version: process.version, ffi: libc !== undefined },
    uid,
    ...tryCapture({ ...options, libc, layout, kernel }),
    namespaces: await readNamespaceFacts(procRoot, libc),
  };
}

type Kernel = DoctorFacts["kernel"];

async function readKernel(
  layout: SocketLayout | undefined,
  { procRoot, sysRoot }: ExamineOptions,
): Promise<Kernel> {
  return {
    release: release(),
    machine: machine() || arch(),
    hz: await readKernelHz({ procRoot }),
    ftraceEnabled: readSwitch(join(procRoot, "sys/kernel/ftrace_enabled")),
    lockdown: readLockdown(sysRoot),
    kallsyms: readKernelSymbols({ procRoot }) !== undefined,
    btf: btfFacts(layout, existsSync(join(sysRoot, "kernel/btf/vmlinux"))),
  };
}

function btfFacts(layout: SocketLayout | undefined, present: boolean): BtfFacts {
  if (layout !== undefined) return { kind: "ok", missing: missingMembers(layout) };
  return { kind: present ? "unusable" : "absent", missing: [] };
}

function readSwitch(path: string): boolean | undefined {
  try {
    return readFileSync(path, "latin1").trim() !== "0";
  } catch {
    return undefined;
  }
}

interface CaptureTrial extends ExamineOptions {
  readonly libc: Libc | undefined;
  readonly layout: SocketLayout | undefined;
  readonly kernel: Kernel;
}

type CaptureFacts = Pick<DoctorFacts, "tracefs" | "tracepoints" | "rungs" | "probes">;

/** Opens tracefs and tries the rungs in it. */
function tryCapture(trial: CaptureTrial): CaptureFacts {
  const { procRoot, libc, layout, kernel } = trial;
  try {
    using tracefs = openWithRoot(trial);
    const { hz, kallsyms } = kernel;
    const options = { tracefs, libc, layout, hz, kallsyms, kprobesDead: findKprobesDead(procRoot) };
    return {
      tracefs: { kind: "ok", path: tracefs.path, mountedBy: tracefs.mountedHere ? "tcpretrans" : "host" },
      probes: countProbes(tracefs),
      tracepoints: findTracepoints(tracefs, libc),
      rungs: RUNGS.map((rung) => tryRung(rung, options)),
    };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const { message: reason, remedy } = error;
    const [host] = parseTracefsMounts(readFileSync(join(procRoot, "self/mountinfo"), "utf8"));
    const refused = { kind: "refused", path: host?.path, reason, remedy } as const;
    return { tracefs: refused, tracepoints: undefined, rungs: [], probes: undefined };
  }
}

function openWithRoot({ uid, ...roots }: CaptureTrial): TracefsMount {
  if (uid === 0) return openTracefs(roots);
  throw new SetupError("not-root", "Cannot try to capture: tcpretrans doctor is not run as root", {
    remedy: "Run sudo tcpretrans doctor",
  });
}

/** Looks in an instance of ours; undefined where none can be made, which the rungs then say too. */
function findTracepoints(tracefs: TracefsMount, libc: Libc | undefined): TracepointFacts | undefined {
  try {
    using instance = Instance.create(tracefs, { bufferSizeKb: 8, libc });
    return {
      tcp_retransmit_skb: instance.hasEvent("tcp", "tcp_retransmit_skb"),
      tcp_retransmit_synack: instance.hasEvent("tcp", "tcp_retransmit_synack"),
      tcp_cong_state_set: instance.hasEvent("tcp", "tcp_cong_state_set"),
    };
  } catch (error) {
    if (error instanceof SetupError) return undefined;
    throw error;
  }
}

function countProbes(tracefs: TracefsMount): ProbeCounts {
  const all = listDynamicEvents(tracefs);
  const ours = all.filter(({ group }) => groupIdOf(group) !== undefined).length;
  return { others: all.length - ours, tcpretrans: ours };
}

async function readNamespaceFacts(procRoot: string, libc: Libc | undefined): Promise<NamespaceFacts> {
  const reader = new NamespaceCounterReader({ procRoot, libc });
  const readings: CounterReading[] = [];
  for (const namespace of listNetworkNamespaces({ procRoot })) readings.push(await reader.read(namespace));
  const unreadable = readings.filter((reading) => reading.kind === "unreadable");
  return {
    found: readings.length,
    readable: readings.length - unreadable.length,
    reason: unreadable[0]?.reason,
  };
}
