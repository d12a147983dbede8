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
  /** Hands over what is ready, at most a bounded number of pages per CPU. */
  drain(page: PageVisitor): Drained;
  /** Waits for the next tick. */
  wait(drained: Drained): Promise<void>;
}

/** Where events go. The batch may be empty: a sink may use the tick. */
export interface Sink {
  consume(events: readonly TcpEvent[], watermark: TraceNanos): void;
  /** The last batch has been consumed. */
  end?(): void;
}

export interface Pipeline {
  readonly source: PageSource;
  readonly decoder: PageDecoder;
  readonly pairer: Pairer;
  /** Collects what the pairer emits. */
  readonly batch: TcpEvent[];
  readonly sinks: readonly Sink[];
}

/** Nothing comes after the end: all that is in hand is in order. */
const END_OF_TIME = traceNanos(Number.POSITIVE_INFINITY);

/** The data path: pages → records in time order → events → sinks, tick by tick until the source ends. */
export async function pump({ source, decoder, pairer, batch, sinks }: Pipeline): Promise<void> {
  for (;;) {
    const drained = source.drain((cpu, view, byteLength) => decoder.page(cpu, view, byteLength));
    const until = drained.ended ? END_OF_TIME : drained.watermark;
    for (const record of decoder.take(until)) pairer.push(record);
    pairer.settle(drained.watermark);
    for (const sink of sinks) sink.consume(batch, drained.watermark);
    batch.length = 0;
    if (drained.ended) break;
    await source.wait(drained);
  }
  pairer.end();
  for (const sink of sinks) sink.end?.();
}
