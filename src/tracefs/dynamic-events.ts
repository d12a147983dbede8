import { existsSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "../syscall/setup-error.ts";
import { errnoName } from "../syscall/system-call-error.ts";
import { readControl, writeControl } from "./control-file.ts";
import { findErrorWords } from "./error-log.ts";
import { probeError, refusalError } from "./errors.ts";
import type { Tracefs } from "./mount.ts";
import { assertOurGroup } from "./names.ts";

/** One line of `dynamic_events`. */
export interface DynamicEvent {
  /** `p` kprobe or uprobe, `r` return probe, `e` event probe, `f` and `t` function and tracepoint probes, `s` synthetic. */
  readonly type: string;
  readonly group: string;
  readonly event: string;
  /** The whole line. */
  readonly definition: string;
}

/** `TYPE[MAXACTIVE]:GROUP/EVENT` at the start of a definition. */
const HEAD = /^([a-z])\d*:([A-Za-z_]\w*)\/([A-Za-z_]\w*)(?=\s|$)/;

/** WRITE_BUFSIZE is 4096 with its newline and end (trace_parse_run_command, kernel/trace/trace.c). */
const MAX_LINE = 4094;

/**
 * Installs one probe in a group of ours, and reads it back. Throws SetupError with the kernel's words;
 * its cause carries the errno.
 */
export function defineProbe(tracefs: Tracefs, definition: string): DynamicEvent {
  const probe = parseDefinition(definition);
  if (probe === undefined || definition.includes("\n") || definition.length > MAX_LINE) {
    throw new TypeError(
      `Cannot install probe: not one line of "type:group/event …": ${definition.slice(0, 80)}`,
    );
  }
  assertOurGroup(probe.group);
  try {
    writeControl(definitionsFile(tracefs), `${definition}\n`);
  } catch (error) {
    throw explainRefusal(tracefs, definition, error);
  }
  const same = listDynamicEvents(tracefs).filter(
    ({ group, event }) => group === probe.group && event === probe.event,
  );
  const [installed] = same;
  if (installed !== undefined && same.length === 1) return installed;
  if (same.length > 1) removeProbe(tracefs, probe.group, probe.event);
  // Same name, other symbol: appended without a word to the event that was there (since 5.4).
  const state =
    installed === undefined ? "it was removed at once" : "a probe of this name was there, on another symbol";
  throw new SetupError("no-probe", `Cannot install probe "${probe.group}/${probe.event}": ${state}`, {
    remedy: "Start again: each start takes new names",
  });
}

/**
 * Removes a probe of ours; false if it was gone already. Its records still in ring buffers are wiped, in every
 * instance (dyn_event_release, kernel/trace/trace_dynevent.c): drain first. Throws SetupError, EBUSY while enabled.
 */
export function removeProbe(tracefs: Tracefs, group: string, event: string): boolean {
  assertOurGroup(group);
  try {
    writeControl(definitionsFile(tracefs), `-:${group}/${event}\n`);
    return true;
  } catch (error) {
    if (errnoName(error) === "ENOENT") return false;
    throw new SetupError(
      "no-probe",
      `Cannot remove probe "${group}/${event}": the kernel says ${errnoName(error)}`,
      {
        remedy: "Stop the other program that has this event enabled; the next start removes the probe",
        cause: error,
      },
    );
  }
}

/** Every dynamic event of the machine, other tools' too; none where the kernel has no such file. Throws SetupError. */
export function listDynamicEvents(tracefs: Tracefs): DynamicEvent[] {
  const path = definitionsFile(tracefs);
  if (!existsSync(path)) return [];
  return readDefinitions(path, tracefs)
    .split("\n")
    .map(parseDefinition)
    .filter((event) => event !== undefined);
}

/** Lockdown refuses it also in a tracefs that was mounted and filled before (tracing_check_open_get_tr). */
function readDefinitions(path: string, { lockdown }: Tracefs): string {
  try {
    return readControl(path);
  } catch (error) {
    throw refusalError("read the list of probes", error, lockdown);
  }
}

/** Parses a definition, ours or a line of `dynamic_events`; undefined for one without group and event. */
export function parseDefinition(definition: string): DynamicEvent | undefined {
  const [, type, group, event] = HEAD.exec(definition) ?? [];
  if (type === undefined || group === undefined || event === undefined) return undefined;
  return { type, group, event, definition };
}

/** `dynamic_events` since 5.0, `kprobe_events` before. */
function definitionsFile(tracefs: Tracefs): string {
  const path = join(tracefs.path, "dynamic_events");
  return existsSync(path) ? path : join(tracefs.path, "kprobe_events");
}

function explainRefusal(tracefs: Tracefs, definition: string, error: unknown): Error {
  if (needsKprobes(definition) && !existsSync(join(tracefs.path, "kprobe_events"))) {
    return new SetupError(
      "no-probe",
      "Cannot install kprobes: this kernel was built without CONFIG_KPROBE_EVENTS",
      {
        remedy: "Use --probe=auto, which takes the best means of capture that this kernel allows",
        cause: error,
      },
    );
  }
  return probeError(definition, error, {
    words: findErrorWords(readErrorLog(tracefs), definition),
    lockdown: tracefs.lockdown,
  });
}

/** A uprobe begins with the same letter, but we install none. */
function needsKprobes(definition: string): boolean {
  return definition.startsWith("p") || definition.startsWith("r");
}

/** Empty where the kernel keeps no such log (before 5.2). */
function readErrorLog(tracefs: Tracefs): string {
  const path = join(tracefs.path, "error_log");
  return existsSync(path) ? readControl(path) : "";
}
