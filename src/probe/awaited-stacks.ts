import type { ProbeRecord } from "./probe-record.ts";

/** `enum trace_flag_type` (include/linux/trace_events.h), bits of `common_flags`. */
const TRACE_FLAG_HARDIRQ = 0x08;
const TRACE_FLAG_SOFTIRQ = 0x10;
const TRACE_FLAG_NMI = 0x40;

/** What a record was written in: 0 a task, 1 a softirq, 2 an interrupt, 3 an NMI. Only a higher one interrupts on the same CPU. */
export type Context = 0 | 1 | 2 | 3;

/** A record whose stack has not come after this long, in nanoseconds, has lost it. */
const STACK_WAIT_NS = 5e8;
/** One of each context waits at a time, more only of tasks of which one preempts the other. */
const MAX = 8;

/** Where a record was written. */
export interface Writer {
  readonly context: Context;
  /** The task on the CPU. */
  readonly pid: number;
}

/** Reads it of the record at `offset`: `struct trace_entry` is at the start of each (include/linux/trace_events.h). */
export function writerOf(view: DataView, offset: number): Writer {
  return { context: contextOf(view.getUint8(offset + 2)), pid: view.getInt32(offset + 4, true) };
}

/**
 * Records of one CPU that wait for their kernel stack, which is a record of its own behind them. The kernel leaves some
 * out, in a storm 5 of 1,000. Between a record and its stack there are only those of what interrupts, whole, or of a task
 * that preempts: so a record of the same softirq or task, or of one that was interrupted, says that the stack is lost.
 */
export class AwaitedStacks {
  /** Contexts never fall from the first to the last. */
  readonly #records: ProbeRecord[] = [];
  readonly #contexts: Context[] = [];

  /** Notes a record, which a stack may follow or not. */
  wrote({ context, pid }: Writer): void {
    for (let i = this.#records.length - 1; i >= 0; i--) {
      if (this.#at(i) < context) return;
      if (this.#at(i) > context || this.#isOf(i, { context, pid })) this.#drop(i);
    }
  }

  /** Notes that a stack is to follow this record, the last that was written. */
  await(record: ProbeRecord, context: Context): void {
    this.#records.push(record);
    this.#contexts.push(context);
    if (this.#records.length > MAX) this.#drop(0);
  }

  /** Takes out the record that a stack belongs to; undefined where it is not known. */
  take(writer: Writer): ProbeRecord | undefined {
    for (let i = this.#records.length - 1; i >= 0; i--) {
      if (this.#at(i) < writer.context) return undefined;
      const isOwner = this.#at(i) === writer.context && this.#isOf(i, writer);
      const record = this.#records[i];
      if (isOwner || this.#at(i) > writer.context) this.#drop(i);
      if (isOwner) return record;
    }
    return undefined;
  }

  /** Up to when records may be taken, of those up to a watermark: later ones are held back behind one that waits. */
  takeUntil(until: number, watermark: number): number {
    let least = watermark;
    for (const { time } of this.#records) {
      if (time > until - STACK_WAIT_NS && time <= least) least = time - 1;
    }
    return least;
  }

  #at(index: number): number {
    return this.#contexts[index] ?? 0;
  }

  /** Of one context: a task may be preempted by another, what interrupts is not. */
  #isOf(index: number, { context, pid }: Writer): boolean {
    return context !== 0 || this.#records[index]?.pid === pid;
  }

  #drop(index: number): void {
    if (index === this.#records.length - 1) {
      this.#records.pop(); // splice() makes an array of what it took
      this.#contexts.pop();
      return;
    }
    this.#records.splice(index, 1);
    this.#contexts.splice(index, 1);
  }
}

function contextOf(flags: number): Context {
  if ((flags & TRACE_FLAG_NMI) !== 0) return 3;
  if ((flags & TRACE_FLAG_HARDIRQ) !== 0) return 2;
  return (flags & TRACE_FLAG_SOFTIRQ) === 0 ? 0 : 1;
}
