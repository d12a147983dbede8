import { fork } from "node:child_process";
import { once } from "node:events";
import type { FeedCounters, FeedState } from "../../src/kube/resource-feed.ts";

/** What follows: client-node's own informer of pods; ours of pods alone; all that a scope needs, streamed or in pages. */
export type FollowMode = "informer" | "pods" | "cluster" | "cluster-in-pages" | "local";

export type FollowMessage = "state" | "collect" | "end";

/** What one resource has cost so far. */
export type ResourceCost = Pick<
  FeedCounters,
  "lists" | "watches" | "items" | "events" | "bookmarks" | "bytes"
> & { readonly state: FeedState };

/** How one that follows stands; memory and CPU are what came on top since it began to follow. */
export interface FollowState {
  readonly syncedMs: number;
  readonly pods: number;
  readonly resources: Readonly<Record<string, ResourceCost>>;
  /** Of the heap and of array buffers. Surely in use only after a "collect". */
  readonly heapBytes: number;
  /** What V8 has taken from the system for its heap. */
  readonly heapTotalMib: number;
  readonly rssMib: number;
  readonly peakMib: number;
  readonly cpuSeconds: number;
  /** The latest that a timer came. */
  readonly lateMs: number;
  /** The most CPU time of the thread between two timers. */
  readonly busyMs: number;
  /** Of all its connections, heads too, without TLS. */
  readonly readBytes: number;
}

export interface FollowOptions {
  readonly kubeconfig: string;
  readonly mode: FollowMode;
  readonly node: string;
  /** As the product is started. */
  readonly execArgv: readonly string[];
}

/** A process that follows an API server, from when it knows all. */
export class Follower implements AsyncDisposable {
  readonly #child: ReturnType<typeof fork>;
  /** When it had just come to know all. */
  readonly synced: FollowState;

  private constructor(child: ReturnType<typeof fork>, synced: FollowState) {
    this.#child = child;
    this.synced = synced;
  }

  static async start(program: string, options: FollowOptions): Promise<Follower> {
    const { kubeconfig, mode, node, execArgv } = options;
    const child = fork(program, [kubeconfig, mode, node], { execArgv: [...execArgv] });
    return new Follower(child, await next(child));
  }

  async ask(message: Exclude<FollowMessage, "end">): Promise<FollowState> {
    const answer = next(this.#child);
    this.#child.send(message);
    return await answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}

async function next(child: ReturnType<typeof fork>): Promise<FollowState> {
  const ended = once(child, "exit").then(() => {
    throw new Error("Cannot measure: what follows the API server has ended");
  });
  const [state] = await Promise.race([once(child, "message"), ended]);
  return state;
}
