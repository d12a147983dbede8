import type { Clock } from "./clock.ts";

export interface SilenceGuardOptions {
  readonly clock: Clock;
  /** How long nothing may be heard, in ms; asked anew as time passes. */
  readonly silenceMs: () => number;
  /** Ends what is guarded too. */
  readonly signal: AbortSignal;
  /** Ends what is guarded; called at most once. */
  readonly cut: () => void;
}

/** Cuts a request off when nothing is heard of it for too long, or when the signal says so. */
export class SilenceGuard implements Disposable {
  readonly #options: SilenceGuardOptions;
  readonly #disposed = new AbortController();
  readonly #cut: () => void;
  #heardMs: number;
  #silent = false;

  constructor(options: SilenceGuardOptions) {
    this.#options = options;
    this.#heardMs = options.clock.monotonicMs();
    this.#cut = () => options.cut();
    options.signal.addEventListener("abort", this.#cut, { once: true });
    void this.#watch();
  }

  /** Whether it was cut for its silence. */
  get silent(): boolean {
    return this.#silent;
  }

  /** Something came. */
  heard(): void {
    this.#heardMs = this.#options.clock.monotonicMs();
  }

  [Symbol.dispose](): void {
    this.#options.signal.removeEventListener("abort", this.#cut);
    this.#disposed.abort();
  }

  async #watch(): Promise<void> {
    const { clock, silenceMs, cut } = this.#options;
    while (!this.#disposed.signal.aborted) {
      const leftMs = this.#heardMs + silenceMs() - clock.monotonicMs();
      if (leftMs <= 0) {
        this.#silent = true;
        cut();
        return;
      }
      await clock.sleep(leftMs, this.#disposed.signal);
    }
  }
}
