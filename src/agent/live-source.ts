import { setImmediate } from "node:timers/promises";
import { type TraceNanos, traceNanos } from "../event/trace-nanos.ts";
import { parseHeaderPage } from "../ring-buffer/page-layout.ts";
import type { PageEpoch } from "../ring-buffer/read-page.ts";
import type { Libc } from "../syscall/libc.ts";
import type { PollSet } from "../syscall/poll-set.ts";
import type { ReadableWatch } from "../syscall/readable-watch.ts";
import { CPU_GONE, type CpuPipe } from "../tracefs/cpu-pipe.ts";
import { type CpuPages, takeLaggingFirst } from "./lagging-first.ts";
import type { LiveCapture } from "./live-capture.ts";
import type { Drained, PageSource, PageVisitor } from "./pump.ts";
import { TickPace } from "./tick-pace.ts";

export interface LiveSourceOptions {
  readonly capture: LiveCapture;
  readonly libc: Libc | undefined;
  /** Trace clock now, ns: process.hrtime.bigint, which is CLOCK_MONOTONIC as the clock `mono` is. */
  readonly now: () => bigint;
  /** Called about once a second, between ticks. */
  readonly everySecond: () => void;
  /** From one tick to the next while nothing comes and a record wakes the process up by itself. */
  readonly quietTickMs?: number;
}

/** From one second's work to the next, where a record wakes the process up by itself. */
const QUIET_TICK_MS = 1000;
/** Pages in one tick, before the sinks have their turn, but one of each CPU: few, so that what they make dies young. */
const PAGES_PER_TICK = 32;
const NOTHING_TAKEN = traceNanos(Number.NEGATIVE_INFINITY);
/** A timer may come a millisecond early. */
const SECOND_NS = 999_000_000n;

interface Cpu extends CpuPages {
  readonly pipe: CpuPipe;
}

/** Reads the pages of a running kernel, tick by tick, until it is stopped; then once more, to the end. */
export class LiveSource implements PageSource, Disposable {
  /** The trace clock's value that times are counted from. */
  readonly epochNanos: bigint;
  readonly #options: LiveSourceOptions;
  readonly #page: Uint8Array;
  readonly #view: DataView;
  #visit: PageVisitor = () => NOTHING_TAKEN;
  #stopped = false;
  /** Ends the wait for the next tick. */
  #wake: () => void = () => {};
  #cpus: readonly Cpu[] = [];
  #poll: PollSet | undefined;
  #watch: ReadableWatch | undefined;
  /** Whether the next record has the wait end. */
  #armed = false;
  #restedMs = 0;
  #restingSince = 0n;
  readonly #pace = new TickPace();
  #lastSecond: bigint;
  #pages = 0;

  constructor(options: LiveSourceOptions) {
    this.#options = options;
    this.epochNanos = options.now();
    this.#lastSecond = this.epochNanos;
    const { pageSize } = parseHeaderPage(options.capture.capture.headerPage);
    this.#page = new Uint8Array(new ArrayBuffer(pageSize));
    this.#view = new DataView(this.#page.buffer);
    this.#followCpus();
  }

  get epoch(): PageEpoch {
    return { hi: Number(this.epochNanos >> 32n), lo: Number(this.epochNanos & 0xffff_ffffn) };
  }

  /** The trace clock's time now. */
  now(): TraceNanos {
    return traceNanos(Number(this.#options.now() - this.epochNanos));
  }

  /** Ends the capture: no new records, and the next ticks take what is left. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#options.everySecond(); // what happened since the last time is told too
    this.#options.capture.disarm();
    this.#wake();
  }

  drain(page: PageVisitor): Drained {
    const ending = this.#stopped;
    const start = this.#options.now();
    if (!ending && start - this.#lastSecond >= SECOND_NS) {
      this.#lastSecond = start;
      this.#followCpus();
      this.#options.everySecond();
    }
    // What is committed before this moment is read in this tick: sockets' records stay in order over CPUs.
    const until = this.now();
    this.#visit = page;
    const budget = Math.max(PAGES_PER_TICK, this.#cpus.length);
    const behind = takeLaggingFirst(this.#ready(until, ending), { until, budget });
    const watermark = behind.reduce(
      (least, { takenUntil }) => (takenUntil < least ? takenUntil : least),
      until,
    );
    const more = behind.length > 0;
    return { watermark, more, ended: ending && !more };
  }

  async wait({ more }: Drained): Promise<void> {
    if (more) return setImmediate();
    const tickMs = this.#pace.after(this.#pages);
    this.#pages = 0;
    this.#restedMs = this.#pace.isQuiet ? this.#rest() : 0;
    // Not timers/promises: its setTimeout with a signal costs as much as the look at idle CPUs that it waits for.
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#stopped ? 0 : this.#restedMs || tickMs);
    this.#wake = () => {
      clearTimeout(timer);
      resolve();
    };
    return promise;
  }

  /** How long nobody meant to look before this tick, 0 for the usual pause: whoever waits for ticks knows from it that none is late. */
  get restedMs(): number {
    return this.#restedMs;
  }

  /** Ends the wait for the next tick. */
  hurry(): void {
    this.#wake();
  }

  /** Looks every 0.2 s at least until then, whether or not something is recorded. */
  lookOftenUntil(end: Promise<unknown>): Promise<void> {
    return this.#pace.holdUntil(end);
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  /** Has the next record end the wait; gives how long it may be then, 0 where that cannot be had. */
  #rest(): number {
    if (this.#watch === undefined) return 0;
    if (!this.#armed) this.#watch.arm(() => this.#arrived());
    this.#armed = true;
    this.#restingSince = this.#options.now();
    const passedMs = Number(this.#restingSince - this.#lastSecond) / 1e6;
    return Math.max(1, Math.ceil((this.#options.quietTickMs ?? QUIET_TICK_MS) - passedMs));
  }

  #arrived(): void {
    this.#armed = false;
    this.#pace.woken();
    // What was rested in fact: a tick that comes later than that is late.
    const restedMs = Number(this.#options.now() - this.#restingSince) / 1e6;
    this.#restedMs = Math.min(this.#restedMs, restedMs);
    this.#wake();
  }

  /** Those with something to read; of the others nothing is from before a time that lies before this look. At the end each is read. */
  #ready(until: TraceNanos, ending: boolean): readonly Cpu[] {
    const poll = this.#poll;
    if (poll === undefined || ending) return this.#cpus;
    poll.poll();
    return this.#cpus.filter((cpu, i) => {
      if (!poll.ready(i)) cpu.takenUntil = until;
      return poll.ready(i);
    });
  }

  #read(pipe: CpuPipe): TraceNanos | undefined {
    const bytes = pipe.read(this.#page);
    if (bytes === CPU_GONE || bytes === 0) return undefined;
    this.#pages++;
    return this.#visit(pipe.cpu, this.#view, bytes);
  }

  /** Opens the pipes of CPUs that have come since. A CPU that went keeps its pipe: what it held is still read. */
  #followCpus(): void {
    const { capture, libc } = this.#options;
    const come = capture.instance
      .onlineCpus()
      .filter((cpu) => !this.#cpus.some(({ pipe }) => pipe.cpu === cpu));
    if (come.length === 0) return;
    const opened = come.map((cpu): Cpu => {
      const pipe = capture.instance.openCpu(cpu);
      return { pipe, next: () => this.#read(pipe), takenUntil: NOTHING_TAKEN };
    });
    this.#cpus = [...this.#cpus, ...opened];
    const fds = this.#cpus.map(({ pipe }) => pipe.fd);
    this.#poll = libc?.pollSet(fds);
    this.#watch?.[Symbol.dispose]();
    this.#watch = libc?.watchReadable(fds);
    this.#armed = false;
  }
}
