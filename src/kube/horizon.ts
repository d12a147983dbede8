/** An agent that did not run for so long has not read what the server told meanwhile. */
const BLOCKED_MS = 1_000;
/** So long after that it has. */
const CALM_MS = 500;
/**
 * An event that comes so much later after its second than others did tells that more are on their way. A second of it is
 * only that times are cut off to whole ones.
 */
const LATE_MS = 2_000;
/** So long after the last of those, with none at all, there are no more. */
const QUIET_MS = 5_000;
/** What the difference between the server's clock and ours is taken from: the smallest of the last two such times. */
const CLOCK_MS = 300_000;

/**
 * Up to when a watch is known to have told everything. Most of the time that is now, but for what the index allows for
 * anyway; on a machine that has too much to do a watch may lie a minute behind, and says so only by how late its
 * events come.
 */
export class Horizon {
  #ms = Number.POSITIVE_INFINITY;
  /** No trouble since then, and how long that must last. */
  #calmSinceMs = 0;
  #calmMs = CALM_MS;
  #tickMs = Number.POSITIVE_INFINITY;
  /** Smallest delays of events in this stretch and in the one before, of which one is the clocks' difference. */
  #leastMs = Number.POSITIVE_INFINITY;
  #leastBeforeMs = Number.POSITIVE_INFINITY;
  #leastSinceMs = Number.NEGATIVE_INFINITY;

  /** Infinity while nothing says that the watch is behind. Unix time in ms, as all here. */
  get ms(): number {
    return this.#ms;
  }

  /** To be called a few times a second, or after a rest that was meant: the watch is read during it. */
  tick(nowMs: number, restedMs = 0): void {
    if (nowMs - this.#tickMs - restedMs > BLOCKED_MS)
      this.#behind(Math.min(this.#ms, this.#tickMs), nowMs, CALM_MS);
    else if (nowMs - this.#calmSinceMs >= this.#calmMs) this.#ms = Number.POSITIVE_INFINITY;
    this.#tickMs = nowMs;
  }

  /** Takes the second in which something was written that the watch tells now. */
  told(writtenSeconds: number, nowMs: number): void {
    const delayMs = nowMs - (writtenSeconds + 1) * 1000;
    if (delayMs - this.#least(delayMs, nowMs) > LATE_MS) this.#behind(writtenSeconds * 1000, nowMs, QUIET_MS);
    else this.#ms = Number.POSITIVE_INFINITY;
  }

  #behind(ms: number, nowMs: number, calmMs: number): void {
    this.#calmMs = this.#ms === Number.POSITIVE_INFINITY ? calmMs : Math.max(calmMs, this.#calmMs);
    this.#ms = ms;
    this.#calmSinceMs = nowMs;
  }

  #least(delayMs: number, nowMs: number): number {
    if (nowMs - this.#leastSinceMs > CLOCK_MS) {
      this.#leastBeforeMs = this.#leastMs;
      this.#leastMs = Number.POSITIVE_INFINITY;
      this.#leastSinceMs = nowMs;
    }
    // Less is only that one server's clock is ahead of the others'.
    this.#leastMs = Math.max(-1000, Math.min(this.#leastMs, delayMs));
    return Math.min(this.#leastMs, this.#leastBeforeMs);
  }
}
