import type { Witness } from "../agent/pump.ts";
import type { TraceNanos } from "../event/trace-nanos.ts";

export interface SettleOptions {
  /** The capture's time now. */
  readonly now: () => TraceNanos;
  /** Up to when every event is out, of all records of this tick and before. */
  readonly settledUntil: () => TraceNanos;
  /** Somebody waits: the next tick may come now. */
  readonly hurry: () => void;
}

interface Waiter {
  readonly time: TraceNanos;
  readonly resolve: () => void;
}

/** Lets others wait until what the kernel has recorded so far has become events. */
export class SettleSink implements Witness {
  readonly #options: SettleOptions;
  #waiters: readonly Waiter[] = [];

  constructor(options: SettleOptions) {
    this.#options = options;
  }

  /** Resolves when every record written up to this call has been decoded, paired and consumed. */
  settle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters = [...this.#waiters, { time: this.#options.now(), resolve }];
    this.#options.hurry();
    return promise;
  }

  consume(): void {
    if (this.#waiters.length === 0) return;
    const settled = this.#options.settledUntil();
    this.#wake(({ time }) => time <= settled);
  }

  end(): void {
    this.#wake(() => true);
  }

  #wake(isDue: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) if (isDue(waiter)) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => !isDue(waiter));
  }
}
