import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { LiveCapture } from "../agent/live-capture.ts";
import { LiveSource } from "../agent/live-source.ts";
import { parseBtf } from "../btf/parse-btf.ts";
import type { Rung } from "../event/tcp-event.ts";
import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";
import { readKernelSymbols } from "../host/kallsyms.ts";
import { readKernelFunctions } from "../host/kernel-functions.ts";
import { readKernelHz } from "../host/kernel-hz.ts";
import type { KernelSymbols } from "../host/kernel-symbols.ts";
import { WallClock } from "../host/wall-clock.ts";
import type { InstalledProbe } from "../probe/install-probes.ts";
import { type SocketLayout, socketLayout } from "../probe/socket-layout.ts";
import { CAUSE_FUNCTIONS } from "../probe/stack-cause.ts";
import { type Libc, openLibc } from "../syscall/libc.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { removeLeftovers } from "../tracefs/leftovers.ts";
import { openTracefs, type TracefsMount } from "../tracefs/mount.ts";
import type { AgentMark } from "../tracefs/names.ts";

export interface SessionOptions {
  readonly rung: Rung | "auto";
  readonly stacks: boolean;
  /** Names of all functions of the kernel, or of those alone that tell causes apart. */
  readonly names: "all" | "causes";
  readonly bufferSizeKb: number;
  /** Says one line to the person at the terminal. */
  readonly say: (line: string) => void;
  /** Do without node:ffi, as on Node 24. */
  readonly noFfi: boolean;
  /** Where the host's tracefs is mounted; else it is found, or mounted. */
  readonly tracefsPath?: string | undefined;
  /** Captures as an agent, which other agents of the node are to know of. */
  readonly agent?: AgentMark | undefined;
}

/** A running capture with what the commands need beside it. Disposing it leaves nothing of ours on the host. */
export interface Session extends Disposable {
  readonly tracefs: TracefsMount;
  readonly libc: Libc | undefined;
  readonly capture: LiveCapture;
  readonly source: LiveSource;
  readonly clock: WallClock;
  /** CONFIG_HZ, where it is known. */
  readonly hz: number | undefined;
  /** Kernel functions by address, where stacks are recorded and addresses can be read. */
  readonly symbols: KernelSymbols | undefined;
  /** Called about once a second, between ticks. */
  readonly onSecond: Set<() => void>;
  /** Called with the formats of probes that someone had removed or disabled and that are in place again. */
  readonly onRearm: Set<(probes: readonly InstalledProbe[]) => void>;
  /** Called with a time in which another program had kept probes from recording, for all that was seen of it. */
  readonly onGap: Set<(gap: { readonly from: TraceNanos; readonly until: TraceNanos }) => void>;
  /** Probes that another program has removed or disabled, when it was last looked. */
  readonly missing: readonly InstalledProbe[];
  /** Times that another program had kept the probes from recording, so far; the last on the clock of `performance.now()`. */
  readonly gaps: { readonly count: number; readonly lastMs: number | undefined };
  /** Looks now at what is looked at every second. */
  readonly look: () => void;
}

/** Mounts tracefs if need be, clears what killed runs have left, installs probes; throws SetupError. */
export async function openSession(options: SessionOptions): Promise<Session> {
  requireRoot();
  const libc = openLibc({ disabled: options.noFfi });
  using undo = new DisposableStack();
  const tracefs = undo.use(openTracefs({ libc, path: options.tracefsPath }));
  for (const probe of removeLeftovers(tracefs).kept) {
    options.say(`Left in place: probe ${probe} of a killed run, which another program has enabled`);
  }
  const layout = readLayout("/sys");
  const hz = layout === undefined ? undefined : await readKernelHz({ procRoot: "/proc" });
  const kprobesDead = findKprobesDead("/proc");
  const capture = undo.use(LiveCapture.open({ ...options, tracefs, libc, layout, hz, kprobesDead }));
  for (const note of capture.installed.notes) options.say(note);
  const clock = new WallClock();
  clock.sample();
  const onSecond = new Set<() => void>();
  const onRearm: Session["onRearm"] = new Set();
  const onGap: Session["onGap"] = new Set();
  const gaps: { count: number; lastMs: number | undefined } = { count: 0, lastMs: undefined };
  let missing: readonly InstalledProbe[] = [];
  const now = () => source.now();
  const keepArmed = armKeeper(capture, { say: options.say, now, onRearm, onGap, gaps });
  const everySecond = () => {
    clock.sample();
    missing = keepArmed();
    for (const listener of onSecond) listener();
  };
  const source = undo.use(new LiveSource({ capture, libc, now: process.hrtime.bigint, everySecond }));
  const symbols = capture.capture.stackFormat && readNames(options.names);
  if (capture.capture.stackFormat !== undefined && symbols === undefined) {
    options.say("Kernel function names cannot be read (kptr_restrict): causes that need the stack are other");
  }
  const owned = undo.move();
  return {
    tracefs,
    libc,
    capture,
    source,
    clock,
    hz,
    symbols,
    onSecond,
    onRearm,
    onGap,
    gaps,
    get missing() {
      return missing;
    },
    look: everySecond,
    [Symbol.dispose]: () => owned.dispose(),
  };
}

interface ArmKeeping extends Pick<SessionOptions, "say">, Pick<Session, "onRearm" | "onGap"> {
  /** Time since the source's epoch. */
  readonly now: () => TraceNanos;
  readonly gaps: { count: number; lastMs: number | undefined };
}

/**
 * Makes a function that puts back what another program has removed or switched off, says so and counts the gap; it gives
 * those that could not be put back.
 */
function armKeeper(
  capture: LiveCapture,
  { say, now, onRearm, onGap, gaps }: ArmKeeping,
): () => readonly InstalledProbe[] {
  let lastRefusal: string | undefined;
  let armedAt = traceNanos(Number.NEGATIVE_INFINITY);
  return () => {
    const looked = now();
    const missing = capture.missing();
    if (missing.length === 0) {
      armedAt = looked;
      return missing;
    }
    gaps.lastMs = performance.now();
    const names = missing.map(({ event }) => event).join(", ");
    try {
      const again = capture.rearm(missing);
      gaps.count++;
      lastRefusal = undefined;
      for (const listener of onRearm) listener(again);
      say(`Another program had switched probes off; they are in place again: ${names}`);
      return [];
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      if (lastRefusal === undefined) gaps.count++;
      if (lastRefusal === error.message) return missing;
      lastRefusal = error.message;
      say(
        `Another program has switched probes off (${names}), and they cannot be put back: ${error.message}`,
      );
      return missing;
    } finally {
      const until = now();
      for (const listener of onGap) listener({ from: armedAt, until });
      armedAt = until;
    }
  };
}

function readNames(names: SessionOptions["names"]): KernelSymbols | undefined {
  const host = { procRoot: "/proc" };
  return names === "all" ? readKernelSymbols(host) : readKernelFunctions(host, CAUSE_FUNCTIONS);
}

/** Everything here is uid 0's in the host's user namespace; throws SetupError for anyone else. */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new SetupError("not-root", "Cannot trace the kernel: tcpretrans is not run as root", {
    remedy: "Run it with sudo, in a pod with runAsUser: 0; only replay needs no privilege",
  });
}

/** The socket's fields by this kernel's BTF; undefined where it has none that is usable. */
export function readLayout(sysRoot: string): SocketLayout | undefined {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = readWhole(join(sysRoot, "kernel/btf/vmlinux"));
  } catch {
    return undefined; // CONFIG_DEBUG_INFO_BTF is off: the rungs below go without
  }
  try {
    return socketLayout(parseBtf(bytes));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    bytes.buffer.transfer(0); // given back at once: an idle process may never collect these 5 MB
  }
}

/** Reads a file into memory of its own. */
function readWhole(path: string): Uint8Array<ArrayBuffer> {
  const fd = openSync(path, "r");
  try {
    const bytes = new Uint8Array(fstatSync(fd).size);
    for (let at = 0; at < bytes.length; ) {
      const got = readSync(fd, bytes, at, bytes.length - at, null);
      if (got === 0) return bytes.subarray(0, at);
      at += got;
    }
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** Why kprobes can be written but never fire, if so: they sit on ftrace's sites (kernel/kprobes.c, kernel/trace/ftrace.c). */
export function findKprobesDead(procRoot: string): string | undefined {
  try {
    const text = readFileSync(join(procRoot, "sys/kernel/ftrace_enabled"), "utf8");
    return text.trim() === "0" ? "/proc/sys/kernel/ftrace_enabled is 0, so they would never fire" : undefined;
  } catch {
    return undefined; // a kernel without ftrace's function tracer puts kprobes elsewhere
  }
}
