import type { Sink } from "../agent/pump.ts";
import type { EnrichedEvent } from "../event/end-name.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import type { StackNames } from "../export/attributes.ts";
import { type EventFormatter, jsonLineFormatter } from "../export/json-line.ts";
import { tableFormatter } from "../export/table.ts";
import { type HiddenCounts, hiddenReason, type PrintRule } from "../export/what-prints.ts";

/** What a trace or a replay shows. */
export interface ViewSettings {
  readonly json: boolean;
  readonly wide: boolean;
  readonly color: boolean;
  /** Print the kernel stack of each event. */
  readonly stacks: boolean;
  /** One line for each tail loss probe too. */
  readonly lossProbes: boolean;
  /** Seconds between summaries, 0 for one at the end; undefined for events instead. */
  readonly summary: number | undefined;
  /** Lines after which to end. */
  readonly count: number | undefined;
  readonly filter: (event: TcpEvent) => boolean;
  /** Both ends have names. */
  readonly names: boolean;
}

export interface ViewOptions extends ViewSettings {
  readonly format: EventFormatter;
  /** Unix time of the capture's epoch in ns, now. */
  readonly epochUnixNanos: () => bigint;
  readonly write: (text: string) => void;
  /** Called when `count` lines are out. */
  readonly enough: () => void;
}

/** Prints events as they come: one write a tick. */
export class View implements Sink {
  readonly hidden: HiddenCounts = { loss_probe: 0, failed: 0 };
  printed = 0;
  readonly #options: ViewOptions;

  constructor(options: ViewOptions) {
    this.#options = options;
  }

  consume(events: readonly EnrichedEvent[]): void {
    const { format, filter, write, count = Number.POSITIVE_INFINITY } = this.#options;
    const rule: PrintRule = { ...this.#options, failed: this.#options.wide || this.#options.json };
    if (events.length === 0 || this.printed >= count) return;
    const epoch = this.#options.epochUnixNanos();
    let text = "";
    for (const { event, ends } of events) {
      if (!filter(event)) continue;
      const hidden = hiddenReason(event, rule);
      if (hidden !== undefined) {
        this.hidden[hidden]++;
        continue;
      }
      text += format(event, epoch, ends);
      this.printed++;
      if (this.printed >= count) break;
    }
    if (text !== "") write(text);
    if (this.printed >= count) this.#options.enough();
  }
}

/** The formatter that the settings ask for. */
export function eventFormatter(
  { json, wide, color, stacks, names }: ViewSettings,
  look: { readonly stackNames: StackNames; readonly utcOffsetMinutes: (unixSeconds: number) => number },
): EventFormatter {
  const stackNames = stacks ? look.stackNames : undefined;
  return json ? jsonLineFormatter(stackNames) : tableFormatter({ ...look, wide, color, names, stackNames });
}
