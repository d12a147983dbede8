import { Follower, type FollowerOptions } from "./follower.ts";
import { listPages } from "./list-pages.ts";

export interface PolledListOptions<T> extends FollowerOptions<T> {
  /** Between two lists, in ms, 20 % more or less. Default five minutes. */
  readonly everyMs?: number;
}

/** Follows one resource by listing it from the API server's cache now and then, without a watch. */
export function polledList<T>({ everyMs = 300_000, ...options }: PolledListOptions<T>): Follower<T> {
  return new Follower(options, (follower) => async (signal) => {
    const { feed, recovery } = follower;
    const end = await listPages(feed, { verbs: ["list"], limit: undefined, resourceVersion: "0", signal });
    if (end.kind === "problem") return await follower.failed(end.problem);
    follower.synced();
    recovery.worked();
    return everyMs * (0.8 + 0.4 * feed.clock.random());
  });
}
