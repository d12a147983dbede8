import type { LogEntry, LogLevel } from "./log-entry.ts";
import { RateBudget } from "./rate-budget.ts";
import { RepeatLimit } from "./repeat-limit.ts";

/** What is to be said, once. */
export type Said = Omit<LogEntry, "repeated">;

export interface LogGateOptions {
  /** A clock that never goes back, in ms. */
  readonly now: () => number;
  /** Takes what is said. */
  readonly entry: (entry: LogEntry) => void;
  /** In whose name it is told that lines were left out. */
  readonly component: string;
}

/** Lines of one level. */
const LINES = { burst: 100, perSecond: 2 };

/** Lets a repeated message through once a minute, with how often it came, and of all no more than a trickle. */
export class LogGate {
  readonly #options: LogGateOptions;
  readonly #repeats = new RepeatLimit<Said>();
  /** One for each level: many words about little never stand in the way of a fault. */
  readonly #budgets = new Map<LogLevel, RateBudget>();
  #keptBack = 0;
  #leftOut = 0;
  /** Of those left out, how many have been told. */
  #told = 0;

  constructor(options: LogGateOptions) {
    this.#options = options;
  }

  /** Messages that are only a count beside the same message, now or later. */
  get keptBack(): number {
    return this.#keptBack;
  }

  /** Messages that were never written, since too much else was said. */
  get leftOut(): number {
    return this.#leftOut + this.#repeats.forgotten;
  }

  say(said: Said): void {
    const key = `${said.level}\n${said.component}\n${said.message}`;
    const repeated = this.#repeats.offer(key, { value: said, nowMs: this.#options.now() });
    if (repeated === undefined) this.#keptBack++;
    else this.#write(said, repeated);
  }

  /** Says what came again meanwhile, and how much was left out. */
  remind(): void {
    for (const { value, repeated } of this.#repeats.due(this.#options.now())) this.#write(value, repeated);
    this.#tellLeftOut();
  }

  /** Says all that is still kept back. */
  end(): void {
    for (const { value, repeated } of this.#repeats.drain()) this.#write(value, repeated);
    this.#tellLeftOut();
  }

  #write(said: Said, repeated: number): void {
    const { now, entry } = this.#options;
    const budget = this.#budgets.get(said.level) ?? new RateBudget(LINES);
    this.#budgets.set(said.level, budget);
    if (budget.take(now())) entry({ ...said, repeated });
    else this.#leftOut += 1 + repeated;
  }

  /** Needs no budget: it comes once a remind. */
  #tellLeftOut(): void {
    const count = this.leftOut - this.#told;
    if (count === 0) return;
    this.#told += count;
    const { entry, component } = this.#options;
    const message = `More was said than may be written: ${count} ${count === 1 ? "message" : "messages"} left out`;
    entry({ level: "warn", component, message, repeated: 0, cause: undefined });
  }
}
