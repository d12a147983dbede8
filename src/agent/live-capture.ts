import type { Rung } from "../event/tcp-event.ts";
import type { KernelFacts } from "../probe/decode-record.ts";
import { probesOf } from "../probe/definitions.ts";
import {
  type InstalledProbe,
  type InstalledRung,
  installBestRung,
  installProbe,
  installRung,
  uninstallProbes,
} from "../probe/install-probes.ts";
import type { CaptureLayout } from "../probe/page-decoder.ts";
import type { SocketLayout } from "../probe/socket-layout.ts";
import type { Libc } from "../syscall/libc.ts";
import { findField } from "../tracefs/event-format.ts";
import { Instance } from "../tracefs/instance.ts";
import type { Tracefs } from "../tracefs/mount.ts";
import type { AgentMark } from "../tracefs/names.ts";

export interface LiveCaptureOptions {
  readonly tracefs: Tracefs;
  readonly libc: Libc | undefined;
  /** A rung, or the best that works. */
  readonly rung: Rung | "auto";
  /** Record the kernel stack of each event; the tracepoint rung always does. */
  readonly stacks: boolean;
  /** Ring buffer of each CPU, in KiB. */
  readonly bufferSizeKb: number;
  readonly layout: SocketLayout | undefined;
  /** CONFIG_HZ, where it is known. */
  readonly hz: number | undefined;
  /** Why kprobes would never fire, if so. */
  readonly kprobesDead: string | undefined;
  /** Captures as an agent, which other agents of the node are to know of. */
  readonly agent?: AgentMark | undefined;
}

/** Our instance with a rung's probes in place. Disposing it leaves nothing of ours on the host. */
export class LiveCapture implements Disposable {
  readonly instance: Instance;
  readonly installed: InstalledRung;
  readonly capture: CaptureLayout;
  readonly #options: LiveCaptureOptions;

  private constructor(instance: Instance, installed: InstalledRung, options: LiveCaptureOptions) {
    this.instance = instance;
    this.installed = installed;
    this.#options = options;
    const recordsStacks = options.stacks || installed.rung === "tracepoint";
    this.capture = {
      headerPage: instance.readHeaderPage(),
      events: installed.probes,
      stackFormat: recordsStacks ? instance.kernelStackFormat() : undefined,
      facts: kernelFacts(options),
    };
  }

  /** Makes the instance and installs the probes; throws SetupError with nothing left behind. */
  static open(options: LiveCaptureOptions): LiveCapture {
    const { tracefs, libc, bufferSizeKb, rung, stacks, agent } = options;
    const instance = Instance.create(tracefs, { bufferSizeKb, libc, agent });
    let probes: readonly InstalledProbe[] = [];
    try {
      instance.turnOff(); // all probes begin at one moment: no attempt without its outcome
      if (stacks) instance.setStacktrace(true);
      const install = { ...options, instance, id: instance.id, ...tells(instance) };
      const installed = rung === "auto" ? installBestRung(install) : installRung(rung, install);
      probes = installed.probes;
      const capture = new LiveCapture(instance, installed, options);
      instance.turnOn();
      return capture;
    } catch (error) {
      uninstallProbes(probes, { tracefs, instance });
      instance[Symbol.dispose]();
      throw error;
    }
  }

  /** The probes that someone else has removed or disabled. */
  missing(): readonly InstalledProbe[] {
    const { missing, tracingOn } = this.instance.armed(this.installed.probes);
    if (!tracingOn) return this.installed.probes;
    return this.installed.probes.filter((probe) => missing.some(({ event }) => event === probe.event));
  }

  /** Puts missing probes back; gives their formats, whose ids are new where they had been removed. */
  rearm(missing: readonly InstalledProbe[]): readonly InstalledProbe[] {
    this.instance.turnOn();
    const { tracefs } = this.#options;
    const { rung, eprobes } = this.installed;
    const naming = { id: this.instance.id, ...tells(this.instance), eprobes };
    return probesOf(rung, this.#options.layout, naming)
      .filter((definition) => missing.some(({ event }) => event === definition.event))
      .map((definition) => {
        const present = this.instance.hasEvent(definition.group, definition.event);
        const { definition: text, ...enableOnly } = definition;
        const again = text !== undefined && !present ? definition : enableOnly;
        return installProbe(again, { tracefs, instance: this.instance, stacks: this.#options.stacks });
      });
  }

  /** Lets no more records in; those that are in the buffers stay readable. */
  disarm(): void {
    this.instance.turnOff();
  }

  [Symbol.dispose](): void {
    const { tracefs } = this.#options;
    // Removing a dynamic event wipes our buffers: whoever wants their records drains them first.
    uninstallProbes(this.installed.probes, { tracefs, instance: this.instance });
    this.instance[Symbol.dispose]();
  }
}

function tells(instance: Instance): { readonly tellsError: boolean; readonly tellsCongState: boolean } {
  const format = instance.readFormat("tcp", "tcp_retransmit_skb");
  return {
    tellsError: findField(format, "err") !== undefined,
    tellsCongState: instance.hasEvent("tcp", "tcp_cong_state_set"),
  };
}

function kernelFacts({ hz, layout }: LiveCaptureOptions): KernelFacts {
  const { shift = 0, width = 8 } = layout?.caState ?? {};
  return { hz, caState: { shift, width } };
}
