/** Seconds that are kept. */
const SECONDS = 300;

/** Events in each of the last 300 seconds. A second is a whole number that never goes back. */
export class EventRate {
  readonly #counts = new Float64Array(SECONDS);
  #second = 0;

  add(count: number, second: number): void {
    this.#advance(second);
    const at = second % SECONDS;
    this.#counts[at] = (this.#counts[at] ?? 0) + count;
  }

  /** The mean of so many seconds before this one, which is not over. */
  perSecond(seconds: number, second: number): number {
    this.#advance(second);
    return this.#sum(second - seconds, seconds) / seconds;
  }

  /** The means of all that is kept but the second that is not over, `seconds` at a time, the oldest first. */
  series(seconds: number, second: number): readonly number[] {
    this.#advance(second);
    const steps = Math.floor((SECONDS - 1) / seconds);
    return Array.from({ length: steps }, (_, i) => {
      return this.#sum(second - (steps - i) * seconds, seconds) / seconds;
    });
  }

  #sum(from: number, seconds: number): number {
    let sum = 0;
    for (let second = Math.max(from, 0); second < from + seconds; second++)
      sum += this.#counts[second % SECONDS] ?? 0;
    return sum;
  }

  #advance(second: number): void {
    const passed = Math.min(second - this.#second, SECONDS);
    for (let i = 0; i < passed; i++) this.#counts[(second - i) % SECONDS] = 0;
    this.#second = Math.max(second, this.#second);
  }
}
