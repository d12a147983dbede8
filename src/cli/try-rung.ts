import { LiveCapture, type LiveCaptureOptions } from "../agent/live-capture.ts";
import type { Rung } from "../event/tcp-event.ts";
import { SetupError, type SetupErrorCode } from "../syscall/setup-error.ts";
import { type RungSight, rungSight } from "./rung-sight.ts";

/** What came of trying one rung. */
export type RungTrial =
  | {
      readonly kind: "ok";
      readonly rung: Rung;
      /** Probes that the kernel refused, each with what that costs, in a sentence. */
      readonly notes: readonly string[];
      readonly sight: RungSight;
    }
  | {
      readonly kind: "refused";
      readonly rung: Rung;
      readonly code: SetupErrorCode;
      /** The kernel's own words where it has some. */
      readonly reason: string;
      readonly remedy: string;
    };

export interface TryRungOptions
  extends Pick<LiveCaptureOptions, "tracefs" | "libc" | "layout" | "hz" | "kprobesDead"> {
  readonly kallsyms: boolean;
}

/** Nothing is read from it for long: the kernel's least, of whole pages. */
const BUFFER_KIB = 8;

/** Installs a rung's probes, opens a ring buffer, and removes all of it again. */
export function tryRung(rung: Rung, options: TryRungOptions): RungTrial {
  try {
    using capture = LiveCapture.open({ ...options, rung, stacks: false, bufferSizeKb: BUFFER_KIB });
    const { installed, instance } = capture;
    instance.openCpu(instance.onlineCpus()[0] ?? 0);
    const notes = byCost(installed.notes.map(withoutIds));
    return { kind: "ok", rung, notes, sight: rungSight(installed, options) };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const { code, remedy, message } = error;
    return { kind: "refused", rung, code, reason: withoutIds(message), remedy };
  }
}

/** `"p:tcpretrans_0a1b2c3d/attempt_0a1b2c3d"` as `p:attempt`: the id is new at each start and tells nothing. */
export function withoutIds(message: string): string {
  return message
    .replace(/"([a-z]):tcpretrans_[0-9a-f]{8}\/(\w+)_[0-9a-f]{8}"/g, "$1:$2")
    .replace(/tcpretrans([-_])[0-9a-f]{8}/g, "tcpretrans$1ID");
}

/** Two probes can cost the same thing: it is said once, with the first one's reason. */
function byCost(notes: readonly string[]): readonly string[] {
  const costs = new Map<string, string>();
  for (const note of notes) {
    const cost = note.slice(0, note.indexOf(": "));
    if (!costs.has(cost)) costs.set(cost, note);
  }
  return [...costs.values()];
}
