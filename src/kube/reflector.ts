import type { ApiProblem } from "./api-problem.ts";
import { Follower, type FollowerOptions } from "./follower.ts";
import { type ListEnd, listPages } from "./list-pages.ts";
import { readWatch, WATCH_VERBS, type WatchEnd } from "./watch-stream.ts";

const PAGE_LIMIT = 500;
/** A watch that ends sooner, without a word, is no watch. */
const MIN_WATCH_MS = 5_000;
/** A watch that keeps failing may never go on from where it is. */
const MAX_RESUMES = 5;

export interface ReflectorOptions<T> extends FollowerOptions<T> {
  /** The same for a list after a 410, which an API server's restart sends to every agent. Default 30,000. */
  readonly relistWithinMs?: number;
}

/** Follows one resource by a list and its watch, and goes on from where it was after any failure. */
export function reflector<T>({ relistWithinMs = 30_000, ...options }: ReflectorOptions<T>): Follower<T> {
  return new Follower(options, (follower) => {
    const reflection = new Reflection(follower, relistWithinMs);
    return (signal) => reflection.follow(signal);
  });
}

class Reflection<T> {
  readonly #follower: Follower<T>;
  readonly #relistWithinMs: number;
  #resourceVersion: string | undefined;
  /** Until a server says no, once. */
  #streams = true;
  #pageLimit: number | undefined = PAGE_LIMIT;

  constructor(follower: Follower<T>, relistWithinMs: number) {
    this.#follower = follower;
    this.#relistWithinMs = relistWithinMs;
  }

  /** Lists if that is needed, and watches until the watch ends; gives the wait before the next time, in ms. */
  async follow(signal: AbortSignal): Promise<number> {
    if (this.#resourceVersion === undefined && !this.#streams) {
      const { feed } = this.#follower;
      const end = await listPages(feed, { verbs: WATCH_VERBS, limit: this.#pageLimit, signal });
      if (end.kind === "problem") return await this.#afterList(end);
      this.#resourceVersion = end.resourceVersion;
      this.#pageLimit = PAGE_LIMIT;
      this.#follower.synced();
    }
    return await this.#watch(this.#resourceVersion, signal);
  }

  async #watch(from: string | undefined, signal: AbortSignal): Promise<number> {
    const { feed, recovery } = this.#follower;
    const { clock } = feed;
    const timeoutSeconds = 300 + Math.floor(clock.random() * 301);
    const sinceMs = clock.monotonicMs();
    const over = new AbortController();
    const synced = () => {
      this.#follower.synced();
      // A server that opens watches and ends them at once has not recovered.
      void clock.sleep(MIN_WATCH_MS, over.signal).then(() => over.signal.aborted || recovery.worked());
    };
    const end = await readWatch(feed, { from, timeoutSeconds, signal, synced }).finally(() => over.abort());
    if (signal.aborted) return 0;
    if (from === undefined && end.resourceVersion === undefined && cannotStream(end)) {
      this.#streams = false;
      return 0;
    }
    this.#resourceVersion = end.resourceVersion;
    return await this.#afterWatch(end.problem, clock.monotonicMs() - sinceMs);
  }

  async #afterList({ problem }: Extract<ListEnd, { kind: "problem" }>): Promise<number> {
    if (problem.kind !== "expired" || this.#pageLimit === undefined)
      return await this.#follower.failed(problem);
    // The list took longer than the server keeps the past of its pages: all in one answer.
    this.#follower.count(problem);
    this.#pageLimit = undefined;
    return this.#follower.feed.clock.random() * 1_000;
  }

  async #afterWatch(problem: ApiProblem | undefined, livedMs: number): Promise<number> {
    if (problem === undefined)
      return livedMs < MIN_WATCH_MS ? await this.#follower.failed(this.#cutShort()) : 0;
    if (problem.kind === "expired") {
      this.#follower.count(problem);
      return this.#relist();
    }
    const isStuck = problem.kind === "failing" && this.#follower.recovery.failures >= MAX_RESUMES;
    if (isStuck || problem.kind === "rejected" || problem.kind === "missing")
      this.#resourceVersion = undefined;
    return await this.#follower.failed(problem);
  }

  #relist(): number {
    const { feed } = this.#follower;
    this.#resourceVersion = undefined;
    feed.counters.relists++;
    this.#follower.behind();
    return feed.clock.random() * this.#relistWithinMs;
  }

  #cutShort(): ApiProblem {
    const sentence = `The API server at ${this.#follower.feed.client.server} ends watches at once`;
    return { kind: "broken-off", sentence };
  }
}

/** No streaming list here: the server does not know it, or its etcd cannot serve it, which it says within the answer. */
function cannotStream({ problem, byEvent }: WatchEnd): boolean {
  if (problem === undefined) return false;
  return byEvent || ["rejected", "missing", "silent"].includes(problem.kind);
}
