/** While records come, and while none do: waking up alone costs Node 0.1 ms. */
const TICK_MS = 100;
const IDLE_TICK_MS = 200;
/** In a storm, which is from this many pages a tick: the kernel's buffers have room for what the scheduler may take, and caches are warm longer. */
const STORM_TICK_MS = 50;
const STORM_PAGES = 16;
/** When that is not enough: so many pages were there, a megabyte. */
const RUSH_TICK_MS = 20;
const RUSH_PAGES = 256;
/** So many idle ticks after the last record it is quiet: what waits for a name or an outcome has it by then. */
const QUIET_AFTER = 15;

/** How long to wait between two ticks, by what the last ones have brought. */
export class TickPace {
  #idleTicks = 0;
  /** Those who want a look every 0.2 s at least. */
  #impatient = 0;

  /** Nothing has come for a while and nobody waits for a tick: until the next record there is no need for one. */
  get isQuiet(): boolean {
    return this.#idleTicks > QUIET_AFTER && this.#impatient === 0;
  }

  /** How long to wait, in ms, after a tick that took so many pages. */
  after(pages: number): number {
    if (pages === 0) {
      this.#idleTicks++;
      return IDLE_TICK_MS;
    }
    this.#idleTicks = 0;
    if (pages < STORM_PAGES) return TICK_MS;
    return pages < RUSH_PAGES ? STORM_TICK_MS : RUSH_TICK_MS;
  }

  /** A rest has ended early. One that ends for nothing, again and again, so costs no more than idle ticks. */
  woken(): void {
    this.#idleTicks = 0;
  }

  /** Keeps it from being quiet until then. */
  async holdUntil(end: Promise<unknown>): Promise<void> {
    this.#impatient++;
    await end;
    this.#impatient--;
  }
}
