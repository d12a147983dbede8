import type { Naming, Pipeline, Sink, Witness } from "../agent/pump.ts";
import type { KernelStack, TcpEvent } from "../event/tcp-event.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";
import { PageDecoder } from "../probe/page-decoder.ts";
import { Pairer } from "../probe/pairer.ts";
import type { SynAckTimer } from "../reconcile/tally.ts";
import type { Session } from "./session.ts";
import { SettleSink } from "./settle-sink.ts";
import { stackNames } from "./stack-names.ts";

/** What a pipeline is joined to, beside the session. */
export interface PipelineEnds {
  readonly witnesses: readonly Witness[];
  readonly naming: Naming;
  readonly sinks: readonly Sink[];
  readonly ticked?: Pipeline["ticked"];
}

/** The data path of a running capture, as every command that shows events has it. */
export interface LivePipeline {
  readonly decoder: PageDecoder;
  readonly pairer: Pairer;
  /** Waits until what the kernel has recorded so far has become events. */
  readonly settled: SettleSink;
  readonly namesOf: (stack: KernelStack) => readonly string[];
  /** Unix time of the capture's epoch in ns, now. */
  readonly epochUnixNanos: () => bigint;
  /** Unix time in ns of a time of the trace clock. */
  readonly unixNanos: (time: TraceNanos) => bigint;
  readonly join: (ends: PipelineEnds) => Pipeline;
}

/** Joins the session's parts; `synAckTimer` is told of the timers that are no events. */
export function livePipeline(
  session: Session,
  { synAckTimer }: { readonly synAckTimer: (timer: SynAckTimer) => void },
): LivePipeline {
  const { capture, source, clock } = session;
  const namesOf = stackNames((address) => session.symbols?.resolve(address));
  const decoder = new PageDecoder(capture.capture, source.epoch);
  session.onRearm.add((probes) => decoder.addEvents(probes));
  const batch: TcpEvent[] = [];
  const pairer = new Pairer({
    rung: capture.installed.rung,
    functionsOf: namesOf,
    emit: (event) => batch.push(event),
    synAckTimer,
  });
  session.onGap.add((gap) => pairer.gap(gap));
  const settled = new SettleSink({
    now: () => source.now(),
    settledUntil: () => pairer.settledUntil(decoder.takenUntil),
    hurry: () => source.hurry(),
  });
  return {
    ...{ decoder, pairer, settled, namesOf },
    epochUnixNanos: () => clock.unixNanos(source.epochNanos),
    unixNanos: (time) => clock.unixNanos(source.epochNanos + BigInt(time)),
    join: ({ witnesses, naming, sinks, ticked }) => ({
      ...{ source, decoder, pairer, batch, naming, sinks, ticked },
      witnesses: [...witnesses, settled],
    }),
  };
}

/** Minutes that this machine's local time is east of UTC at a time. */
export function utcOffsetMinutes(unixSeconds: number): number {
  return -new Date(unixSeconds * 1000).getTimezoneOffset();
}
