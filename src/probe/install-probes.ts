import type { Rung } from "../event/tcp-event.ts";
import { SetupError } from "../syscall/setup-error.ts";
import { defineProbe, removeProbe } from "../tracefs/dynamic-events.ts";
import type { EventFormat } from "../tracefs/event-format.ts";
import type { Instance } from "../tracefs/instance.ts";
import type { Tracefs } from "../tracefs/mount.ts";
import { type DefinitionOptions, type ProbeDefinition, probesOf } from "./definitions.ts";
import type { Role } from "./probe-record.ts";
import type { SocketLayout } from "./socket-layout.ts";

/** A probe that is in place: its records carry `format.id`. */
export interface InstalledProbe {
  readonly role: Role;
  readonly group: string;
  readonly event: string;
  readonly dynamic: boolean;
  /** A kernel_stack record follows each of its records. */
  readonly stack: boolean;
  readonly format: EventFormat;
}

/** A rung with its probes in place, and a sentence for everything that this kernel refused on the way. */
export interface InstalledRung {
  readonly rung: Rung;
  /** Whether outcomes come from eprobes: segments and errors are the kernel's own. */
  readonly eprobes: boolean;
  readonly probes: readonly InstalledProbe[];
  readonly notes: readonly string[];
}

export interface InstallOptions extends DefinitionOptions {
  readonly tracefs: Tracefs;
  readonly instance: Instance;
  readonly layout: SocketLayout | undefined;
  /** The instance records a stack behind every record. */
  readonly stacks: boolean;
  /** Why kprobes would never fire on this host although they can be written, if so. */
  readonly kprobesDead: string | undefined;
}

/** The rungs with probes, best first. */
export const RUNGS: readonly Rung[] = ["kprobe", "eprobe", "tracepoint"];

/** Installs the best rung that works, stepping down with one sentence each; throws the last SetupError if none does. */
export function installBestRung(options: InstallOptions): InstalledRung {
  const notes: string[] = [];
  let last: SetupError | undefined;
  for (const rung of RUNGS) {
    try {
      const installed = installRung(rung, options);
      return { ...installed, notes: [...notes, ...installed.notes] };
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      last = error;
      notes.push(`Rung ${rung} is not available: ${error.message}`);
    }
  }
  throw last ?? new TypeError("Cannot install probes: no rung was tried");
}

/** Installs one rung or throws a SetupError with nothing left behind. */
export function installRung(rung: Rung, options: InstallOptions): InstalledRung {
  const { layout, kprobesDead } = options;
  if (rung !== "tracepoint" && layout === undefined) {
    throw new SetupError("no-btf", `Cannot find the socket's fields: this kernel has no usable BTF`, {
      remedy: "Use a kernel with CONFIG_DEBUG_INFO_BTF, or --probe=tracepoint",
    });
  }
  if (rung === "kprobe" && kprobesDead !== undefined) {
    throw new SetupError("no-probe", `Cannot rely on kprobes: ${kprobesDead}`, {
      remedy: "Set /proc/sys/kernel/ftrace_enabled to 1, or use --probe=eprobe",
    });
  }
  if (rung !== "kprobe") return installAll(rung, true, options);
  try {
    return installAll(rung, true, options);
  } catch (error) {
    if (!(error instanceof SetupError) || error.code !== "no-eprobe") throw error;
    const installed = installAll(rung, false, options);
    return {
      ...installed,
      notes: [`Outcomes come from the plain tracepoint: ${error.message}`, ...installed.notes],
    };
  }
}

function installAll(rung: Rung, eprobes: boolean, options: InstallOptions): InstalledRung {
  const probes: InstalledProbe[] = [];
  const notes: string[] = [];
  try {
    for (const definition of probesOf(rung, options.layout, { ...options, eprobes })) {
      try {
        probes.push(installProbe(definition, options));
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
        if (definition.optional === undefined) throw eprobeError(definition, error);
        notes.push(`${sentence(definition.optional)}: ${error.message}`);
      }
    }
    return { rung, eprobes: eprobes && rung !== "tracepoint", probes, notes };
  } catch (error) {
    uninstallProbes(probes, options);
    throw error;
  }
}

/** Defines (where it is ours), filters and enables one probe. An existing definition of the same text is kept. */
export function installProbe(
  { role, group, event, definition, filter, stack = false }: ProbeDefinition,
  { tracefs, instance, stacks }: Pick<InstallOptions, "tracefs" | "instance" | "stacks">,
): InstalledProbe {
  if (definition !== undefined) defineProbe(tracefs, definition);
  try {
    if (filter !== undefined) instance.filter(group, event, filter);
    if (stack && !stacks) instance.traceStackOf(group, event);
    const format = instance.readFormat(group, event);
    instance.enable(group, event);
    return { role, group, event, dynamic: definition !== undefined, stack: stack || stacks, format };
  } catch (error) {
    if (definition !== undefined) removeProbe(tracefs, group, event);
    throw error;
  }
}

/** Disables the probes and removes those that are ours. */
export function uninstallProbes(
  probes: readonly InstalledProbe[],
  { tracefs, instance }: Pick<InstallOptions, "tracefs" | "instance">,
): void {
  for (const { group, event, dynamic } of probes.toReversed()) {
    instance.disable(group, event);
    if (dynamic) removeProbe(tracefs, group, event);
  }
}

/** An eprobe that is refused is a reason of its own: the rung below it differs. */
function eprobeError(definition: ProbeDefinition, error: SetupError): SetupError {
  if (definition.definition?.startsWith("e:") !== true) return error;
  return new SetupError("no-eprobe", error.message, { cause: error, remedy: error.remedy });
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
