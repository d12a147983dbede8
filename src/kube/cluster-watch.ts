import type { ApiClient } from "./api-client.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { OwnerIndex, type OwnerIndexOptions, type SyncState } from "./owner-index.ts";
import { polledList } from "./polled-list.ts";
import { ProblemLog } from "./problem-log.ts";
import { projectEndpointSlice } from "./project-endpoint-slice.ts";
import { projectNode } from "./project-node.ts";
import { podProjection } from "./project-pod.ts";
import { projectService } from "./project-service.ts";
import { projectServiceCidr } from "./project-service-cidr.ts";
import { reflector } from "./reflector.ts";
import type { FeedCounters, FeedState } from "./resource-feed.ts";

export interface ClusterWatchOptions extends Omit<OwnerIndexOptions, "sync" | "wholeCluster"> {
  readonly client: ApiClient;
  /** Pods that are followed: this node's alone, or all. */
  readonly scope: "local" | "cluster";
  /** Read the ServiceCIDRs too, which needs a permission of its own. */
  readonly withServiceCidrs: boolean;
  /** Says one line to people. */
  readonly say: (line: string) => void;
  readonly clock?: Clock;
  /** The first lists begin at a random time within this, in ms. */
  readonly firstWithinMs?: number;
}

/** How the knowledge of one resource stands. */
export interface ResourceStanding {
  readonly state: FeedState;
  readonly counters: Readonly<FeedCounters>;
  /** What the last try met, and what to do about it; undefined where it went well. */
  readonly problem: string | undefined;
}

/** One followed resource, as far as others need to know. */
interface Followed {
  readonly resource: string;
  readonly path: string;
  readonly state: FeedState;
  readonly counters: Readonly<FeedCounters>;
  run(signal: AbortSignal): Promise<void>;
}

/** Fills an index of owners from the API server, and keeps on doing so. */
export class ClusterWatch {
  readonly index: OwnerIndex;
  readonly #followed: readonly Followed[];
  readonly #problems: ProblemLog;

  constructor(options: ClusterWatchOptions) {
    const { scope, clock = SYSTEM_CLOCK } = options;
    const sync: SyncState = syncOf(() => this.#followed);
    this.index = new OwnerIndex({ ...options, sync, wholeCluster: scope === "cluster" });
    this.#problems = new ProblemLog({ say: options.say, clock });
    this.#followed = follow(this.index, { ...options, clock, problems: this.#problems });
  }

  /** Where each resource stands and what it has cost, by the API's name. */
  resources(): ReadonlyMap<string, ResourceStanding> {
    return new Map(
      this.#followed.map(({ resource, path, state, counters }) => [
        resource,
        { state, counters, problem: this.#problems.of(path) },
      ]),
    );
  }

  /** Works until the signal; fails only by a bug. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#followed.map((each) => each.run(signal)));
  }
}

type FollowOptions = ClusterWatchOptions & { readonly clock: Clock; readonly problems: ProblemLog };

function follow(index: OwnerIndex, options: FollowOptions): readonly Followed[] {
  const { client, clock, problems, firstWithinMs, scope, ownNode } = options;
  const common = { client, clock, problems, ...(firstWithinMs === undefined ? {} : { firstWithinMs }) };
  const onNode = scope === "local" && ownNode !== undefined;
  const followed = [
    named(
      "pods",
      reflector({
        ...common,
        path: "/api/v1/pods",
        fieldSelector: onNode ? `spec.nodeName=${ownNode}` : undefined,
        project: podProjection(ownNode),
        sink: index.pods,
      }),
    ),
    named(
      "services",
      reflector({
        ...common,
        path: "/api/v1/services",
        project: projectService,
        sink: index.services,
      }),
    ),
    named(
      "endpointslices",
      reflector({
        ...common,
        path: "/apis/discovery.k8s.io/v1/endpointslices",
        project: projectEndpointSlice,
        sink: index.endpointSlices,
      }),
    ),
    // Each kubelet writes its Node's status: a watch would cost every agent every such write.
    named("nodes", polledList({ ...common, path: "/api/v1/nodes", project: projectNode, sink: index.nodes })),
  ];
  if (!options.withServiceCidrs) return followed;
  const serviceCidrs = polledList({
    ...common,
    path: "/apis/networking.k8s.io/v1/servicecidrs",
    project: projectServiceCidr,
    sink: index.serviceCidrs,
  });
  return [...followed, named("servicecidrs", serviceCidrs)];
}

/** A view that stays the follower's own: its state and counters change. */
function named(resource: string, follower: Omit<Followed, "resource">): Followed {
  return {
    resource,
    path: follower.path,
    get state() {
      return follower.state;
    },
    get counters() {
      return follower.counters;
    },
    run: (signal) => follower.run(signal),
  };
}

/** Asked for each event: loops take a third of what `every()` and `some()` do. */
function syncOf(followed: () => readonly Followed[]): SyncState {
  return {
    get complete() {
      for (const { state } of followed()) if (state !== "synced") return false;
      return true;
    },
    get pending() {
      for (const { state } of followed()) if (state === "syncing" || state === "behind") return true;
      return false;
    },
    get followsPods() {
      for (const { resource, state } of followed()) if (resource === "pods") return state === "synced";
      return false;
    },
  };
}
