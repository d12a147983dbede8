import type { Cause, Outcome, TcpEvent } from "../../src/event/tcp-event.ts";
import { traceNanos } from "../../src/event/trace-nanos.ts";
import { COUNTERS, type CounterName, type CounterValues } from "../../src/reconcile/identities.ts";
import { type Sight, sightOf } from "../../src/reconcile/sight.ts";
import { anEvent } from "../export/an-event.ts";

interface EventParts {
  readonly outcome?: Outcome;
  readonly segments?: number | undefined;
  readonly error?: number | undefined;
  readonly netns?: number | undefined;
  readonly time?: number;
}

/** An event of which only what the identities look at is of interest. */
export function event(cause: Cause, parts: EventParts = {}): TcpEvent {
  const { outcome = "sent", error = outcome === "sent" ? 0 : undefined, time = 0 } = parts;
  return anEvent({
    kind: cause === "tail_loss_probe" ? "loss_probe" : "retransmit",
    time: traceNanos(time),
    rung: "kprobe",
    ...{ cause, outcome, error },
    segments: "segments" in parts ? parts.segments : outcome === "sent" ? 1 : 0,
    socket: { netns: "netns" in parts ? parts.netns : 1 },
  });
}

export function events(count: number, cause: Cause, parts: EventParts = {}): readonly TcpEvent[] {
  return Array.from({ length: count }, () => event(cause, parts));
}

export function counters(values: Partial<Record<CounterName, number>> = {}): CounterValues {
  return Object.fromEntries(COUNTERS.map((name) => [name, BigInt(values[name] ?? 0)])) as CounterValues;
}

export const KPROBE: Sight = sightOf("kprobe", { tellsErrors: false });
