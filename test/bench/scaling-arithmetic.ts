/** Bytes on the wire of what an API server sends, each measured. */
export interface ObjectBytes {
  /** In a streaming list, which is not packed. */
  readonly streamed: { readonly pod: number; readonly service: number; readonly slice: number };
  /** In a list by pages, packed with gzip. */
  readonly packed: {
    readonly pod: number;
    readonly service: number;
    readonly slice: number;
    readonly node: number;
  };
  /** Of a watch. */
  readonly event: { readonly pod: number; readonly slice: number; readonly bookmark: number };
}

/** How a cluster is built and how fast it changes: assumed, and said in the document. */
export const CLUSTER = {
  podsPerNode: 30,
  podsPerService: 6,
  /** Pods replaced an hour, of a hundred. */
  replacedPerHour: 4,
  /** From ADDED to DELETED. */
  eventsOfAPodsLife: 8,
  /** Its coming and its going, as its slice tells them. */
  sliceEventsOfAPodsLife: 4,
} as const;

const WATCHED = 3;
const HOUR = 3600;
const BOOKMARKS_AN_HOUR = 60;
const NODE_LISTS_AN_HOUR = 12;
/** Watches end after 300 to 600 s. */
const WATCHES_AN_HOUR = WATCHED * (HOUR / 450);
const NODE_COUNTS = [100, 1000, 5000];

export type Scope = "local" | "cluster";

/** What one node's program and all of them ask of the API server. */
export interface Load {
  readonly nodes: number;
  readonly scope: Scope;
  /** Kept by one program. */
  readonly objects: number;
  /** Of one program, in MB (10^6). */
  readonly startMb: number;
  readonly packedStartMb: number;
  readonly hourMb: number;
  readonly watches: number;
  readonly requestsPerHour: number;
  /** Of all programs. */
  readonly allWatches: number;
  readonly allStartGb: number;
  readonly allEventsPerSecond: number;
  readonly allMbPerSecond: number;
}

export function loads(bytes: ObjectBytes): readonly Load[] {
  return NODE_COUNTS.flatMap((nodes) => [load(nodes, "local", bytes), load(nodes, "cluster", bytes)]);
}

/** MB of a program's first lists, streamed and packed. */
export function startMb(nodes: number, scope: Scope, { streamed, packed }: ObjectBytes) {
  const { pods, services } = watched(nodes, scope);
  const list = (size: typeof streamed) => pods * size.pod + services * (size.service + size.slice);
  const nodeList = nodes * packed.node;
  return { streamed: (list(streamed) + nodeList) / 1e6, packed: (list(packed) + nodeList) / 1e6 };
}

function watched(nodes: number, scope: Scope) {
  const all = nodes * CLUSTER.podsPerNode;
  return { all, pods: scope === "local" ? CLUSTER.podsPerNode : all, services: all / CLUSTER.podsPerService };
}

function load(nodes: number, scope: Scope, bytes: ObjectBytes): Load {
  const { all, pods, services } = watched(nodes, scope);
  const share = CLUSTER.replacedPerHour / 100;
  const podEvents = pods * share * CLUSTER.eventsOfAPodsLife;
  const sliceEvents = all * share * CLUSTER.sliceEventsOfAPodsLife;
  const { event, packed } = bytes;
  const quiet = WATCHED * BOOKMARKS_AN_HOUR * event.bookmark + NODE_LISTS_AN_HOUR * nodes * packed.node;
  const hourMb = (quiet + podEvents * event.pod + sliceEvents * event.slice) / 1e6;
  const start = startMb(nodes, scope, bytes);
  return {
    ...{ nodes, scope, objects: pods + 2 * services + nodes },
    ...{ startMb: start.streamed, packedStartMb: start.packed, hourMb },
    ...{ watches: WATCHED, requestsPerHour: WATCHES_AN_HOUR + NODE_LISTS_AN_HOUR },
    allWatches: WATCHED * nodes,
    allStartGb: (start.streamed * nodes) / 1000,
    allEventsPerSecond: ((podEvents + sliceEvents) * nodes) / HOUR,
    allMbPerSecond: (hourMb * nodes) / HOUR,
  };
}
