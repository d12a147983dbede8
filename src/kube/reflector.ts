import type { ApiProblem } from "./api-problem.ts";
import { type ListEnd, listPages } from "./list-pages.ts";
import { Recovery } from "./recovery.ts";
import {
  type Feed,
  type FeedCounters,
  type FeedOptions,
  type FeedState,
  newFeedCounters,
} from "./resource-feed.ts";
import { readWatch, WATCH_VERBS, type WatchEnd } from "./watch-stream.ts";

const PAGE_LIMIT = 500;
/** A watch that ends sooner, without a word, is no watch. */
const MIN_WATCH_MS = 5_000;
/** A watch that keeps failing may never go on from where it is. */
const MAX_RESUMES = 5;

export interface ReflectorOptions<T> extends FeedOptions<T> {
  /** The first list begins at a random time within this, in ms: a roll-out starts many agents at once. Default 2,000. */
  readonly firstWithinMs?: number;
  /** A list after a 410 too, in ms: an API server's restart sends one to every agent. Default 30,000. */
  readonly relistWithinMs?: number;
}

/**
 * Keeps a sink at the state of one resource: lists it, follows its watch, and goes on from where it was after any
 * failure. What the sink knows stays until a new list is complete.
 */
export class Reflector<T> {
  readonly #feed: Feed<T>;
  readonly #recovery: Recovery;
  readonly #firstWithinMs: number;
  readonly #relistWithinMs: number;
  #state: FeedState = "syncing";
  #hasListed = false;
  #resourceVersion: string | undefined;
  /** Until a server says no, once. */
  #streams = true;
  #pageLimit: number | undefined = PAGE_LIMIT;

  constructor({ firstWithinMs = 2_000, relistWithinMs = 30_000, ...options }: ReflectorOptions<T>) {
    this.#feed = { ...options, counters: newFeedCounters() };
    this.#recovery = new Recovery({ ...options, resource: options.path });
    this.#firstWithinMs = firstWithinMs;
    this.#relistWithinMs = relistWithinMs;
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
      const waitMs = await this.#follow(signal);
      if (!signal.aborted && waitMs > 0) await clock.sleep(waitMs, signal);
    }
  }

  /** Lists if that is needed, and watches until the watch ends; gives the wait before the next time, in ms. */
  async #follow(signal: AbortSignal): Promise<number> {
    if (this.#resourceVersion === undefined && !this.#streams) {
      const end = await listPages(this.#feed, { verbs: WATCH_VERBS, limit: this.#pageLimit, signal });
      if (end.kind === "problem") return await this.#afterList(end);
      this.#resourceVersion = end.resourceVersion;
      this.#pageLimit = PAGE_LIMIT;
      this.#hasListed = true;
      this.#state = "synced";
    }
    return await this.#watch(this.#resourceVersion, signal);
  }

  async #watch(from: string | undefined, signal: AbortSignal): Promise<number> {
    const { clock } = this.#feed;
    const timeoutSeconds = 300 + Math.floor(clock.random() * 301);
    const sinceMs = clock.monotonicMs();
    const over = new AbortController();
    const synced = () => {
      this.#hasListed = true;
      this.#state = "synced";
      // A server that opens watches and ends them at once has not recovered.
      void clock.sleep(MIN_WATCH_MS, over.signal).then(() => over.signal.aborted || this.#recovery.worked());
    };
    const end = await readWatch(this.#feed, { from, timeoutSeconds, signal, synced }).finally(() =>
      over.abort(),
    );
    if (signal.aborted) return 0;
    if (from === undefined && end.resourceVersion === undefined && cannotStream(end)) {
      this.#streams = false;
      return 0;
    }
    this.#resourceVersion = end.resourceVersion;
    return await this.#afterWatch(end.problem, clock.monotonicMs() - sinceMs);
  }

  async #afterList({ problem }: Extract<ListEnd, { kind: "problem" }>): Promise<number> {
    if (problem.kind !== "expired" || this.#pageLimit === undefined) return await this.#failed(problem);
    // The list took longer than the server keeps the past of its pages: all in one answer.
    this.#count(problem);
    this.#pageLimit = undefined;
    return this.#feed.clock.random() * 1_000;
  }

  async #afterWatch(problem: ApiProblem | undefined, livedMs: number): Promise<number> {
    if (problem === undefined) return livedMs < MIN_WATCH_MS ? await this.#failed(this.#cutShort()) : 0;
    if (problem.kind === "expired") {
      this.#count(problem);
      return this.#relist();
    }
    const isStuck = problem.kind === "failing" && this.#recovery.failures >= MAX_RESUMES;
    if (isStuck || problem.kind === "rejected" || problem.kind === "missing")
      this.#resourceVersion = undefined;
    return await this.#failed(problem);
  }

  #relist(): number {
    this.#resourceVersion = undefined;
    this.#feed.counters.relists++;
    this.#state = this.#hasListed ? "behind" : "syncing";
    return this.#feed.clock.random() * this.#relistWithinMs;
  }

  async #failed(problem: ApiProblem): Promise<number> {
    this.#count(problem);
    if (problem.kind === "stopped") return 0;
    if (problem.kind === "forbidden") this.#state = "denied";
    else if (this.#state !== "denied") this.#state = this.#hasListed ? "behind" : "syncing";
    return await this.#recovery.afterFailure(problem);
  }

  #count({ kind }: ApiProblem): void {
    const { problems } = this.#feed.counters;
    problems[kind] = (problems[kind] ?? 0) + 1;
  }

  #cutShort(): ApiProblem {
    const sentence = `The API server at ${this.#feed.client.server} ends watches at once`;
    return { kind: "broken-off", sentence };
  }
}

/** No streaming list here: the server does not know it, or its etcd cannot serve it, which it says within the answer. */
function cannotStream({ problem, byEvent }: WatchEnd): boolean {
  if (problem === undefined) return false;
  return byEvent || ["rejected", "missing", "silent"].includes(problem.kind);
}
