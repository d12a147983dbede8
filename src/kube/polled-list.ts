import { listPages } from "./list-pages.ts";
import { Recovery } from "./recovery.ts";
import {
  type Feed,
  type FeedCounters,
  type FeedOptions,
  type FeedState,
  newFeedCounters,
} from "./resource-feed.ts";

export interface PolledListOptions<T> extends FeedOptions<T> {
  /** Between two lists, in ms, 20 % more or less. Default five minutes. */
  readonly everyMs?: number;
  /** The first list begins at a random time within this, in ms. Default 2,000. */
  readonly firstWithinMs?: number;
}

/** Keeps a sink at the state of one resource by listing it from the API server's cache now and then, without a watch. */
export class PolledList<T> {
  readonly #feed: Feed<T>;
  readonly #recovery: Recovery;
  readonly #everyMs: number;
  readonly #firstWithinMs: number;
  #state: FeedState = "syncing";
  #hasListed = false;

  constructor({ everyMs = 300_000, firstWithinMs = 2_000, ...options }: PolledListOptions<T>) {
    this.#feed = { ...options, counters: newFeedCounters() };
    this.#recovery = new Recovery({ ...options, resource: options.path });
    this.#everyMs = everyMs;
    this.#firstWithinMs = firstWithinMs;
  }

  /** Of the resource, as it is asked for. */
  get path(): string {
    return this.#feed.path;
  }

  get state(): FeedState {
    return this.#state;
  }

  get counters(): Readonly<FeedCounters> {
    return this.#feed.counters;
  }

  /** Works until the signal; fails only by a bug, such as a sink that throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#feed;
    await clock.sleep(clock.random() * this.#firstWithinMs, signal);
    while (!signal.aborted) {
      const waitMs = await this.#list(signal);
      if (!signal.aborted && waitMs > 0) await clock.sleep(waitMs, signal);
    }
  }

  /** Gives the wait before the next list, in ms. */
  async #list(signal: AbortSignal): Promise<number> {
    const { clock, counters } = this.#feed;
    const end = await listPages(this.#feed, {
      verbs: ["list"],
      limit: undefined,
      resourceVersion: "0",
      signal,
    });
    if (end.kind === "listed") {
      this.#hasListed = true;
      this.#state = "synced";
      this.#recovery.worked();
      return this.#everyMs * (0.8 + 0.4 * clock.random());
    }
    const { kind } = end.problem;
    counters.problems[kind] = (counters.problems[kind] ?? 0) + 1;
    if (kind === "stopped") return 0;
    if (kind === "forbidden") this.#state = "denied";
    else if (this.#state !== "denied") this.#state = this.#hasListed ? "behind" : "syncing";
    return await this.#recovery.afterFailure(end.problem);
  }
}
