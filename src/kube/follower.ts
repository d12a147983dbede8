import type { ApiProblem } from "./api-problem.ts";
import { Recovery } from "./recovery.ts";
import {
  type Feed,
  type FeedCounters,
  type FeedOptions,
  type FeedState,
  newFeedCounters,
} from "./resource-feed.ts";

export interface FollowerOptions<T> extends FeedOptions<T> {
  /** The first turn begins at a random time within this, in ms: a roll-out starts many agents at once. Default 2,000. */
  readonly firstWithinMs?: number;
}

/** One step of following: fetches what it can, and gives the wait before the next one in ms. */
export type Turn = (signal: AbortSignal) => Promise<number>;

/**
 * Keeps a sink at the state of one resource, turn after turn, and knows where that stands. What the sink knows stays until
 * a new list is complete.
 */
export class Follower<T> {
  readonly feed: Feed<T>;
  readonly recovery: Recovery;
  readonly #firstWithinMs: number;
  readonly #turn: Turn;
  #state: FeedState = "syncing";
  #hasListed = false;

  constructor(
    { firstWithinMs = 2_000, ...options }: FollowerOptions<T>,
    turnOf: (follower: Follower<T>) => Turn,
  ) {
    this.feed = { ...options, counters: newFeedCounters() };
    this.recovery = new Recovery({ ...options, resource: options.path });
    this.#firstWithinMs = firstWithinMs;
    this.#turn = turnOf(this);
  }

  /** Of the resource, as it is asked for. */
  get path(): string {
    return this.feed.path;
  }

  get state(): FeedState {
    return this.#state;
  }

  get counters(): Readonly<FeedCounters> {
    return this.feed.counters;
  }

  /** Works until the signal; fails only by a bug, such as a sink that throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.feed;
    await clock.sleep(clock.random() * this.#firstWithinMs, signal);
    while (!signal.aborted) {
      const waitMs = await this.#turn(signal);
      if (!signal.aborted && waitMs > 0) await clock.sleep(waitMs, signal);
    }
  }

  /** The sink has all of it. */
  synced(): void {
    this.#hasListed = true;
    this.#state = "synced";
  }

  /** What changed since is not known at this moment. */
  behind(): void {
    this.#state = this.#hasListed ? "behind" : "syncing";
  }

  count({ kind }: ApiProblem): void {
    const { problems } = this.feed.counters;
    problems[kind] = (problems[kind] ?? 0) + 1;
  }

  /** Gives the wait before it is tried again, in ms. A missing permission stays what is told through other failures. */
  async failed(problem: ApiProblem): Promise<number> {
    this.count(problem);
    if (problem.kind === "stopped") return 0;
    if (problem.kind === "forbidden") this.#state = "denied";
    else if (this.#state !== "denied") this.behind();
    return await this.recovery.afterFailure(problem);
  }
}
