import { closeSync, existsSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Libc } from "../syscall/libc.ts";
import { errnoName } from "../syscall/system-call-error.ts";
import { readControl, writeControl } from "./control-file.ts";
import { readOnlineCpus } from "./cpu-list.ts";
import { type CpuPipe, openCpuPipe } from "./cpu-pipe.ts";
import { type CpuStats, parseCpuStats } from "./cpu-stats.ts";
import { instanceError, noEventError } from "./errors.ts";
import { type EventFormat, parseEventFormat } from "./event-format.ts";
import { instancePath, makeAndHold } from "./instance-directory.ts";
import type { Tracefs } from "./mount.ts";
import { type AgentMark, formatInstanceName, GROUP_PREFIX, type InstanceName } from "./names.ts";

export interface EventName {
  readonly group: string;
  readonly event: string;
}

export interface InstanceOptions {
  /** Ring buffer of each CPU, in KiB; the kernel rounds up to whole pages, two at least. */
  readonly bufferSizeKb: number;
  /** 8 hex digits; a random one unless given. */
  readonly id?: string;
  /** The instance is an agent's, and says so. */
  readonly agent?: AgentMark | undefined;
  readonly libc?: Libc | undefined;
  readonly sysRoot?: string;
}

/** What keeps events from reaching us, as `armed()` finds it. */
export interface Armed {
  /** Expected events that are removed or disabled. */
  readonly missing: readonly EventName[];
  /** False when someone wrote 0 to `tracing_on`. */
  readonly tracingOn: boolean;
}

/** Trace options that would cost every context switch, or change what a read gives; inherited from the global buffer. */
const OPTIONS_OFF = ["record-cmd", "record-tgid", "stacktrace", "userstacktrace", "block", "pause-on-trace"];

/**
 * Our private ring buffers and event switches: a directory under `instances`. While it lives it holds `free_buffer`
 * open: nobody can rmdir it (EBUSY), and when the process dies, by SIGKILL too, the kernel stops tracing
 * into it and frees its buffers (options/disable_on_free, tracing_free_buffer_release in kernel/trace/trace.c).
 */
export class Instance implements Disposable {
  readonly id: string;
  readonly name: InstanceName;
  /** The event group that belongs to this instance. */
  readonly group: string;
  readonly #tracefs: Tracefs;
  readonly #path: string;
  readonly #libc: Libc | undefined;
  readonly #sysRoot: string;
  readonly #pipes = new Set<CpuPipe>();
  readonly #enabled = new Map<string, EventName>();
  #hold: number | undefined;

  private constructor(
    tracefs: Tracefs,
    { name, hold, options }: { name: InstanceName; hold: number; options: InstanceOptions },
  ) {
    this.id = name.id;
    this.name = name;
    this.group = GROUP_PREFIX + name.id;
    this.#tracefs = tracefs;
    this.#path = instancePath(tracefs, name);
    this.#libc = options.libc;
    this.#sysRoot = options.sysRoot ?? "/sys";
    this.#hold = hold;
  }

  /**
   * Makes the directory and holds it. The kernel first allocates its default of 1.4 MB for each CPU, before
   * the size can be set. Throws SetupError.
   */
  static create(tracefs: Tracefs, options: InstanceOptions): Instance {
    const { name, hold } = makeAndHold(tracefs, { id: options.id, agent: options.agent });
    const instance = new Instance(tracefs, { name, hold, options });
    try {
      instance.#setUp(options.bufferSizeKb);
      return instance;
    } catch (error) {
      instance[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether this kernel has the event. */
  hasEvent(group: string, event: string): boolean {
    return existsSync(join(this.#path, "events", group, event, "enable"));
  }

  /** Lets the event into this instance; throws SetupError `no-event` where the kernel has none of that name. */
  enable(group: string, event: string): void {
    this.#writeEvent({ group, event }, "enable", "1");
    this.#enabled.set(`${group}:${event}`, { group, event });
  }

  /** Keeps the event out of this instance; nothing to do where it is gone. */
  disable(group: string, event: string): void {
    this.#enabled.delete(`${group}:${event}`);
    if (this.hasEvent(group, event)) this.#writeEvent({ group, event }, "enable", "0");
  }

  /** Sets the event's filter in this instance, "0" for none; throws SetupError for a filter that the kernel refuses. */
  filter(group: string, event: string, text: string): void {
    this.#writeEvent({ group, event }, "filter", text);
  }

  /** Whether the kernel writes a kernel_stack record behind each of our records. */
  setStacktrace(on: boolean): void {
    this.#write("trace_options", on ? "stacktrace" : "nostacktrace");
  }

  /** Has the kernel write a kernel_stack record behind each record of one event, as setStacktrace() does for all. */
  traceStackOf(group: string, event: string): void {
    try {
      writeControl(join(this.#path, "events", group, event, "trigger"), "stacktrace");
    } catch (error) {
      if (errnoName(error) !== "EEXIST") throw this.#explain(`trace the stack of "${group}:${event}"`, error);
    }
  }

  /** Starts writing into the buffers; also after someone else stopped it. */
  turnOn(): void {
    this.#write("tracing_on", "1");
  }

  /** Stops writing into the buffers, for all events at one moment; what they hold stays readable. */
  turnOff(): void {
    this.#write("tracing_on", "0");
  }

  /** The layout of the event's records on this kernel; throws SetupError `no-event`. */
  readFormat(group: string, event: string): EventFormat {
    const path = join(this.#path, "events", group, event, "format");
    try {
      return parseEventFormat(readControl(path));
    } catch (error) {
      throw errnoName(error) === "ENOENT" ? noEventError(group, event, error) : error;
    }
  }

  /** The layout of the kernel_stack records that setStacktrace() asks for. */
  kernelStackFormat(): EventFormat {
    return parseEventFormat(readControl(join(this.#tracefs.path, "events/ftrace/kernel_stack/format")));
  }

  /** The text of `header_page`: how the pages of this instance are laid out. */
  readHeaderPage(): string {
    return readControl(join(this.#path, "events/header_page"));
  }

  /** CPUs to read now; others appear and go with hotplug. */
  onlineCpus(): number[] {
    return readOnlineCpus(this.#sysRoot);
  }

  /** CPUs whose pipe is open, online or not. */
  get openedCpus(): number[] {
    return [...this.#pipes].map(({ cpu }) => cpu);
  }

  /** Opens the CPU's raw pipe, closed with the instance at the latest. */
  openCpu(cpu: number): CpuPipe {
    const path = join(this.#path, `per_cpu/cpu${cpu}/trace_pipe_raw`);
    try {
      const pipe = openCpuPipe(path, { cpu, libc: this.#libc });
      this.#pipes.add(pipe);
      return pipe;
    } catch (error) {
      throw this.#explain(`open the ring buffer of CPU ${cpu}`, error);
    }
  }

  /** The counters of one CPU's ring buffer, since the instance was made. */
  readStats(cpu: number): CpuStats {
    return parseCpuStats(readControl(join(this.#path, `per_cpu/cpu${cpu}/stats`)));
  }

  /** The trace clock now (CLOCK_MONOTONIC), in nanoseconds, in steps of a microsecond. */
  clockNow(): bigint {
    return this.readStats(this.onlineCpus()[0] ?? 0).nowTs;
  }

  /**
   * Whether what we switched on is still so: a small read for each event. `set_event` tells of all in one, for which the
   * kernel goes through every event that it has: 0.2 ms, once a second.
   */
  armed(expected: readonly EventName[]): Armed {
    return {
      missing: expected.filter((name) => !this.#isOn(name)),
      tracingOn: readControl(join(this.#path, "tracing_on")).startsWith("1"),
    };
  }

  /**
   * Events off, pipes closed, buffers freed, directory removed. A program that has a file of it open keeps the
   * emptied directory; the next start removes it.
   */
  [Symbol.dispose](): void {
    if (this.#hold === undefined) return;
    for (const { group, event } of this.#enabled.values()) this.#disableIfThere(group, event);
    this.#enabled.clear();
    for (const pipe of this.#pipes) pipe.close();
    this.#pipes.clear();
    closeSync(this.#hold);
    this.#hold = undefined;
    try {
      rmdirSync(this.#path);
    } catch (error) {
      if (errnoName(error) === undefined) throw error;
    }
  }

  /** An event with a trigger can be off softly: "0*". */
  #isOn({ group, event }: EventName): boolean {
    try {
      return readControl(`${this.#path}/events/${group}/${event}/enable`).startsWith("1");
    } catch (error) {
      if (errnoName(error) === undefined) throw error;
      return false; // ENOENT, or ENODEV where it went after we had opened it
    }
  }

  #setUp(bufferSizeKb: number): void {
    this.#write("trace_clock", "mono");
    this.#write("trace_options", "overwrite");
    this.#write("trace_options", "disable_on_free");
    for (const option of OPTIONS_OFF) this.#writeIfKnown("trace_options", `no${option}`);
    this.#writeIfKnown("buffer_percent", "0"); // poll(2) tells of the first record (since 5.0)
    this.#write("buffer_size_kb", String(bufferSizeKb));
    this.turnOn();
  }

  #write(file: string, text: string): void {
    try {
      writeControl(join(this.#path, file), text);
    } catch (error) {
      throw this.#explain(`set ${file} of instance "${formatInstanceName(this.name)}" to ${text}`, error);
    }
  }

  /** For what not every kernel has: ENOENT where it is a file, EINVAL where it is an option's name. */
  #writeIfKnown(file: string, text: string): void {
    try {
      writeControl(join(this.#path, file), text);
    } catch (error) {
      const errno = errnoName(error);
      if (errno !== "ENOENT" && errno !== "EINVAL") throw this.#explain(`set ${file} to ${text}`, error);
    }
  }

  #writeEvent({ group, event }: EventName, file: "enable" | "filter", text: string): void {
    try {
      writeControl(join(this.#path, "events", group, event, file), text);
    } catch (error) {
      // ENODEV: removed between open and write.
      const gone = errnoName(error) === "ENOENT" || errnoName(error) === "ENODEV";
      throw gone
        ? noEventError(group, event, error)
        : this.#explain(`set ${file} of "${group}:${event}"`, error);
    }
  }

  #disableIfThere(group: string, event: string): void {
    try {
      writeControl(join(this.#path, "events", group, event, "enable"), "0");
    } catch (error) {
      if (errnoName(error) === undefined) throw error; // gone with its probe; rmdir switches off the rest
    }
  }

  #explain(action: string, error: unknown): Error {
    return instanceError(action, error, this.#tracefs.lockdown);
  }
}
