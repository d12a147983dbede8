import type { EnrichedEvent } from "../event/end-name.ts";
import type { TcpEvent } from "../event/tcp-event.ts";
import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";
import type { PageDecoder } from "../probe/page-decoder.ts";
import type { Pairer } from "../probe/pairer.ts";

/** What one tick took from the kernel, or from a recording of it. */
export interface Drained {
  /** Every record up to this time has been handed over. */
  readonly watermark: TraceNanos;
  /** A CPU still has pages: the tick's budget was used up. */
  readonly more: boolean;
  readonly ended: boolean;
}

/** Takes one page; gives the time of its last record. The view is valid only within the call. */
export type PageVisitor = (cpu: number, view: DataView, byteLength: number) => TraceNanos;

/** Where pages come from: the running kernel or a recording. */
export interface PageSource {
  /** Hands over what is ready, at most a bounded number of pages. */
  drain(page: PageVisitor): Drained;
  /** Waits for the next tick. */
  wait(drained: Drained): Promise<void>;
}

/** Sees all that the kernel did, at once, other nodes' events too. The batch may be empty. */
export interface Witness {
  consume(events: readonly TcpEvent[], watermark: TraceNanos): void;
  /** The last batch has been consumed. */
  end?(): void;
}

/** Puts names to both ends of events. May hold some back for a while, and leaves those of other nodes out. */
export interface Naming {
  enrich(events: readonly TcpEvent[], watermark: TraceNanos): readonly EnrichedEvent[];
  /** What is still held back. */
  end(): readonly EnrichedEvent[];
}

/** Where events go. The batch may be empty: a sink may use the tick. */
export interface Sink {
  consume(events: readonly EnrichedEvent[], watermark: TraceNanos): void;
  /** The last batch has been consumed. */
  end?(): void;
}

export interface Pipeline {
  readonly source: PageSource;
  readonly decoder: PageDecoder;
  readonly pairer: Pairer;
  /** Collects what the pairer emits. */
  readonly batch: TcpEvent[];
  readonly witnesses: readonly Witness[];
  readonly naming: Naming;
  readonly sinks: readonly Sink[];
  /** Told of each tick when it is over. */
  readonly ticked?: ((tick: Tick) => void) | undefined;
}

/** One turn of the pump, on the clock of `performance.now()`. */
export interface Tick {
  readonly startMs: number;
  readonly endMs: number;
}

/** Nothing comes after the end: all that is in hand is in order. */
const END_OF_TIME = traceNanos(Number.POSITIVE_INFINITY);

/** Events as they are, where names are not asked for. */
export const WITHOUT_NAMES: Naming = {
  enrich: (events) => events.map((event) => ({ event, ends: undefined })),
  end: () => [],
};

/** The data path, turn by turn until the source ends. */
export async function pump(pipeline: Pipeline): Promise<void> {
  const { source, pairer, witnesses, naming, sinks, ticked } = pipeline;
  for (;;) {
    const startMs = performance.now();
    const drained = turn(pipeline);
    ticked?.({ startMs, endMs: performance.now() });
    if (drained.ended) {
      const late = naming.end();
      if (late.length > 0) for (const sink of sinks) sink.consume(late, drained.watermark);
      break;
    }
    await source.wait(drained);
  }
  pairer.end();
  for (const witness of witnesses) witness.end?.();
  for (const sink of sinks) sink.end?.();
}

/**
 * One tick of it: pages → records in time order → events → names → sinks. A function of its own: V8 compiles one that is called
 * again and again, not the one that never returns.
 */
function turn({ source, decoder, pairer, batch, witnesses, naming, sinks }: Pipeline): Drained {
  const drained = source.drain((cpu, view, byteLength) => decoder.page(cpu, view, byteLength));
  const until = drained.ended ? END_OF_TIME : drained.watermark;
  for (const record of decoder.take(until)) pairer.push(record);
  pairer.settle(drained.watermark);
  for (const witness of witnesses) witness.consume(batch, drained.watermark);
  const named = naming.enrich(batch, drained.watermark);
  for (const sink of sinks) sink.consume(named, drained.watermark);
  batch.length = 0;
  return drained;
}
